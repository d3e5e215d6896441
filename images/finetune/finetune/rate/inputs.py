"""Samples as token ids, cut to length; and as batches of like lengths."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from jinja2.exceptions import TemplateError

from contract.config.rate import RateConfig
from contract.records import Sample

PADDED = 1.15
"""A batch's tokens with padding over those without, at most."""


class Tokens(NamedTuple):
    """A row's token ids, whether some were cut off, and its place among the rows; or why there are none."""

    place: int
    ids: list[int]
    cut: bool = False
    problem: str = ""


class Reader:
    """Turns samples into token ids as the model was trained to see them."""

    def __init__(self, tokenizer: Any, config: RateConfig, longest: int) -> None:
        self.tokenizer, self.config, self.longest = tokenizer, config, longest
        self.template = config.field == "conversation" and bool(tokenizer.chat_template)
        tokenizer.truncation_side = "left" if config.cut == "start" else "right"

    def read(self, samples: Sequence[Sample]) -> list[Tokens]:
        """The token ids of each sample, in order."""
        if self.template:
            return [self._rendered(place, sample) for place, sample in enumerate(samples)]
        encoded = self.tokenizer([text_of(sample, self.config.field) for sample in samples], add_special_tokens=True)
        return [self._plain(place, row, samples[place]) for place, row in enumerate(encoded["input_ids"])]

    def _rendered(self, place: int, sample: Sample) -> Tokens:
        """A conversation through the chat template, which writes the special tokens itself: no second begin token."""
        turns = [{"role": message.role, "content": message.content} for message in sample.messages]
        try:
            text = self.tokenizer.apply_chat_template(turns, tokenize=False)
        except TemplateError as error:  # many know no system message, or want turns to alternate
            return Tokens(place, [], problem=str(error))
        return self._cut(place, list(self.tokenizer(text, add_special_tokens=False)["input_ids"]))

    def _cut(self, place: int, ids: list[int]) -> Tokens:
        if len(ids) <= self.longest:
            return Tokens(place, ids)
        if self.config.cut == "end":
            return Tokens(place, ids[: self.longest], True)
        begin = ids[:1] if ids[0] == self.tokenizer.bos_token_id else []
        return Tokens(place, begin + ids[len(ids) - self.longest + len(begin) :], True)

    def _plain(self, place: int, ids: list[int], sample: Sample) -> Tokens:
        """Of a longer text the tokenizer itself says what goes, since its special tokens must stay."""
        if len(ids) <= self.longest:
            return Tokens(place, ids)
        text = text_of(sample, self.config.field)
        shorter = self.tokenizer(text, add_special_tokens=True, truncation=True, max_length=self.longest)
        return Tokens(place, list(shorter["input_ids"]), True)


def text_of(sample: Sample, field: str) -> str:
    """The text that is scored, where there is no template for it."""
    if field == "conversation":
        return "\n\n".join(message.content for message in sample.messages)
    text: str = getattr(sample, field)
    return text


def batches(rows: Sequence[Tokens], most: int) -> Iterator[list[Tokens]]:
    """Rows by length, in batches of at most `most` tokens and little padding, or of one row."""
    batch: list[Tokens] = []
    filled = 0
    for row in sorted(rows, key=lambda row: (len(row.ids), row.ids)):
        filled += len(row.ids)
        padded = (len(batch) + 1) * len(row.ids)
        if batch and (padded > most or padded > PADDED * filled):
            yield batch
            batch, filled = [], len(row.ids)
        batch.append(row)
    if batch:
        yield batch
