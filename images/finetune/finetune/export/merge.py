"""One model out of base and adapter, and the proof that it says the same."""

from collections.abc import Sequence
from typing import Any

import torch

from contract.failures import BadInput
from finetune.export.reload import Read, digest
from finetune.exported import ANSWER_TOKENS
from finetune.model import generate, logits, settle_end_tokens
from finetune.trained import Trained


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


def check_reload(model: Any, read: Read, prompts: Sequence[list[int]], where: str) -> None:
    """Raises `BadInput` unless the model read back from disk says exactly what the one in memory says."""
    for number, prompt in enumerate(prompts):
        same_logits = digest(logits(model, prompt)) == read.digests[number]
        same_answer = generate(model, prompt, ANSWER_TOKENS) == read.answers[number]
        if not (same_logits and same_answer):
            raise BadInput(
                f"the model read back from disk differs: same logits {same_logits}, same answer {same_answer}",
                expected="no difference at all",
                where=where,
            )


def check_loss(trained: float, exported: float, allowed: float) -> None:
    """Raises `BadInput` when the exported model's test loss is above the trained one's by more than is allowed."""
    if not exported - trained <= allowed:
        raise BadInput(
            f"the exported model's test loss is {exported:.4f}, the trained one's {trained:.4f} (nats per token)",
            expected=f"a rise of at most {allowed:g}",
            hint="a wider `export.dtype`; with QLoRA, `method: lora`; or raise `export.max_loss_rise`",
        )


def largest_difference(left: Sequence[torch.Tensor], right: Sequence[torch.Tensor]) -> float:
    """The largest absolute difference of two lists of logits."""
    return max(((a - b).abs().max().item() for a, b in zip(left, right, strict=True)), default=0.0)
