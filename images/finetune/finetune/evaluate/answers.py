"""Answers to many prompts, in batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from finetune.model import evaluating

BATCH_TOKENS = 16_384
"""Tokens held for one batch at its end, padding included; a 7B model keeps some 128 kB to 512 kB for each."""

BATCH_ROWS = 64


@dataclass(frozen=True)
class Said:
    """What a model said: its text, and whether it was still talking when it was cut off."""

    text: str
    runaway: bool


def answer_all(
    model: Any, tokenizer: Any, prompts: Sequence[list[int]], max_new_tokens: int
) -> Iterator[tuple[int, Said]]:
    """The most likely answers to prompts, each with its place among them, batch by batch, the shortest first."""
    ends = end_tokens(model)
    for places in generation_batches([len(prompt) for prompt in prompts], max_new_tokens):
        said = _continuations(model, [prompts[place] for place in places], max_new_tokens)
        for place, ids in zip(places, said, strict=True):
            spoken, ended = until_end(ids, ends)
            yield place, Said(tokenizer.decode(spoken, skip_special_tokens=True).strip(), not ended)


def end_tokens(model: Any) -> frozenset[int]:
    """The tokens at which a model stops."""
    ends = model.generation_config.eos_token_id
    return frozenset(ends if isinstance(ends, list) else [ends])


def until_end(ids: Sequence[int], ends: frozenset[int]) -> tuple[list[int], bool]:
    """What stands before the first end token, and whether there is one."""
    stop = next((place for place, token in enumerate(ids) if token in ends), None)
    return list(ids[:stop]), stop is not None


def generation_batches(lengths: Sequence[int], max_new_tokens: int) -> Iterator[list[int]]:
    """Places of prompts, by length, in batches of at most `BATCH_TOKENS` tokens at their end, or one prompt."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if batch and (len(batch) == BATCH_ROWS or (len(batch) + 1) * (lengths[place] + max_new_tokens) > BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _continuations(model: Any, prompts: Sequence[list[int]], max_new_tokens: int) -> list[list[int]]:
    """Greedy continuations; prompts are padded on the left, so that each ends where its answer begins."""
    longest = max(len(prompt) for prompt in prompts)
    pad = model.generation_config.pad_token_id
    ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in prompts], device=model.device)
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=model.device)
    with evaluating(model), torch.no_grad():
        out = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=max_new_tokens, do_sample=False)
    return [list(row) for row in out[:, longest:].tolist()]
