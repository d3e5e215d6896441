"""Prompts taken from samples, to ask models the same questions at several stages."""

from collections.abc import Sequence
from typing import Any

from contract.records import Sample
from finetune.chat import encode, prompt_ids

OPENING = 32
"""Tokens of a raw text that are given, or half of a text that is shorter than twice that."""


def questions(tokenizer: Any, samples: Sequence[Sample], max_length: int) -> list[tuple[Sample, list[int]]]:
    """Samples with the token ids of their conversation up to the last answer, where that is below `max_length`.

    A raw text, in which nobody is asked, is cut after its opening: what follows is the answer.
    """
    asked = []
    for sample in samples:
        last = max((i for i, message in enumerate(sample.messages) if message.role == "assistant"), default=0)
        ids = prompt_ids(tokenizer, sample.messages[:last]) if last else _opening(tokenizer, sample)
        if 0 < len(ids) < max_length:
            asked.append((sample, ids))
    return asked


def _opening(tokenizer: Any, sample: Sample) -> list[int]:
    if len(sample.messages) != 1 or sample.messages[0].role != "assistant":
        return []
    ids = encode(tokenizer, sample.messages).ids
    return ids[: min(OPENING, len(ids) // 2)]
