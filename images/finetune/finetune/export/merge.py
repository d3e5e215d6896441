"""One model out of base and adapter, and the proof that it says the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from contract.failures import BadInput
from finetune.model import generate, load_model, logits, settle_end_tokens
from finetune.trained import Trained

ANSWER_TOKENS = 16


def merged_model(trained: Trained, prompts: Sequence[list[int]], tolerance: float) -> tuple[Any, float]:
    """The whole model in float32, and the largest difference of a logit between it and the unmerged one.

    Raises `BadInput` when that exceeds the tolerance: then the weights must not be shipped.
    """
    model = trained.tuned(torch.float32, torch.device("cpu"))
    if not trained.has_adapter:
        return model, 0.0
    before = [logits(model, prompt) for prompt in prompts]
    model = model.merge_and_unload(safe_merge=True)
    settle_end_tokens(model, trained.tokenizer)
    difference = largest_difference(before, [logits(model, prompt) for prompt in prompts])
    if not difference <= tolerance:
        raise BadInput(
            f"merging changed the model: a logit differs by {difference:.2g}",
            expected=f"at most {tolerance:g} on {len(prompts)} test prompts",
            where=trained.dataset.uri,
            hint="raise `export.tolerance` only if you know why they differ",
        )
    return model, difference


def check_reload(model: Any, folder: Path, tokenizer: Any, prompts: Sequence[list[int]]) -> None:
    """Raises `BadInput` unless the model read back from disk says exactly what the one in memory says."""
    again = load_model(folder, tokenizer, model.dtype, model.device)
    for prompt in prompts:
        difference = (logits(model, prompt) - logits(again, prompt)).abs().max().item()
        same = generate(model, prompt, ANSWER_TOKENS) == generate(again, prompt, ANSWER_TOKENS)
        if difference or not same:
            raise BadInput(
                f"the model read back from disk differs by {difference:.2g} in a logit, same answer: {same}",
                expected="no difference at all",
                where=str(folder),
            )


def largest_difference(left: Sequence[torch.Tensor], right: Sequence[torch.Tensor]) -> float:
    """The largest absolute difference of two lists of logits."""
    return max(((a - b).abs().max().item() for a, b in zip(left, right, strict=True)), default=0.0)
