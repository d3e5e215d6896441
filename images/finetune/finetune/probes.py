"""Prompts taken from samples, to ask models the same questions at several stages."""

from collections.abc import Sequence
from typing import Any

from contract.records import Sample
from finetune.chat import prompt_ids


def questions(tokenizer: Any, samples: Sequence[Sample], max_length: int) -> list[tuple[Sample, list[int]]]:
    """Samples with the token ids of their conversation up to the last answer, where that is below `max_length`."""
    asked = []
    for sample in samples:
        last = max((i for i, message in enumerate(sample.messages) if message.role == "assistant"), default=0)
        ids = prompt_ids(tokenizer, sample.messages[:last]) if last else []
        if 0 < len(ids) < max_length:
            asked.append((sample, ids))
    return asked
