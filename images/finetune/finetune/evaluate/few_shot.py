"""The base model with examples before each question: what prompting alone achieves (Brown et al. 2020).

Examples come from the train split in the order of a hash of their ids, so the order of rows decides nothing; one
that is too long for what is left below `max_length` is passed over.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from contract.config.finetune import Training
from contract.records import Message, Sample
from finetune.chat import encode, prompt_ids
from finetune.data import IGNORED, Row

LOOKED_AT = 16
"""Candidates for each example: enough to find short ones, and soon read by a tokenizer."""


@dataclass(frozen=True)
class Example:
    """A conversation to show, and how many tokens it takes by itself."""

    messages: tuple[Message, ...]
    tokens: int


@dataclass(frozen=True)
class FewShot:
    """Puts up to `number` examples before what is asked."""

    tokenizer: Any
    training: Training
    examples: Sequence[Example]
    number: int

    def row(self, sample: Sample, row: Row) -> tuple[Row, int]:
        """A sample's row with examples before it, and how many. Only what `row` learns has labels, so both losses are
        over the same tokens. A row that was cut has no room for any."""
        chosen = [] if row.truncated else self._fitting(row.length)
        while chosen:
            encoded = encode(self.tokenizer, _joined(chosen, sample.messages))
            if len(encoded.ids) <= self.training.max_length:
                everything = self.training.loss_on == "everything"
                learned = [place for place, said in enumerate(encoded.mask) if said or everything][-row.targets :]
                labels = [IGNORED] * len(encoded.ids)
                for place in learned:
                    labels[place] = encoded.ids[place]
                return Row(row.id, encoded.ids, labels, len(encoded.ids)), len(chosen)
            chosen.pop()
        return row, 0

    def prompt(self, sample: Sample, ids: list[int], new_tokens: int) -> list[int]:
        """Token ids of the examples and the question in `ids`, with room for `new_tokens` more."""
        chosen = self._fitting(len(ids) + new_tokens)
        last = max(place for place, message in enumerate(sample.messages) if message.role == "assistant")
        while chosen:
            longer = prompt_ids(self.tokenizer, _joined(chosen, sample.messages[:last]))
            if len(longer) + new_tokens <= self.training.max_length:
                return longer
            chosen.pop()
        return ids

    def _fitting(self, taken: int) -> list[Example]:
        """The first examples that fit beside `taken` tokens."""
        chosen: list[Example] = []
        room = self.training.max_length - taken
        for example in self.examples:
            if len(chosen) == self.number:
                break
            if example.tokens <= room:
                chosen.append(example)
                room -= example.tokens
        return chosen


def few_shot(tokenizer: Any, training: Training, train: Sequence[Sample], number: int) -> FewShot | None:
    """Examples from the train split, `number` for each question; None where that is 0 or nothing can be shown."""
    examples = list(islice(_examples(tokenizer, in_hash_order(train)), number * LOOKED_AT))
    return FewShot(tokenizer, training, examples, number) if examples else None


def in_hash_order(samples: Sequence[Sample]) -> list[Sample]:
    """Samples in an order that looks like chance and is always the same."""
    return sorted(samples, key=lambda sample: hashlib.sha256(sample.id.encode()).digest())


def _examples(tokenizer: Any, samples: Sequence[Sample]) -> Iterator[Example]:
    """Conversations from a question to an answer, without their system message: that is the asked sample's to have."""
    for sample in samples:
        turns = tuple(message for message in sample.messages if message.role != "system")
        if turns and (turns[0].role, turns[-1].role) == ("user", "assistant"):
            yield Example(turns, len(encode(tokenizer, turns).ids))


def _joined(examples: Sequence[Example], messages: Sequence[Message]) -> list[Message]:
    first = next((place for place, message in enumerate(messages) if message.role != "system"), len(messages))
    turns = [message for example in examples for message in example.messages]
    return [*messages[:first], *turns, *messages[first:]]
