"""What rules look at, and how they answer."""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~‘’“”«»…–—•·"

OPENING = 100_000  # words; Gopher drops longer texts anyway

Number = int | float
Numbers = NDArray[np.int64]


class Row:
    """One row: the text of the configured field, and what else rules need. Words, lines and paragraphs are cut once."""

    def __init__(self, text: str, instruction: str = "", answer: str = "", license: str | None = None) -> None:
        self.text, self.instruction, self.answer, self.license = text, instruction, answer, license

    @cached_property
    def tokens(self) -> list[str]:
        """Everything between white space."""
        return self.text.split()

    @cached_property
    def words(self) -> list[str]:
        """Tokens without the punctuation around them; those of punctuation only are left out."""
        return [word for token in self.tokens if (word := token.strip(PUNCTUATION))]

    @cached_property
    def lines(self) -> list[str]:
        """Lines with text, stripped."""
        return [line for raw in self.text.split("\n") if (line := raw.strip())]

    @cached_property
    def paragraphs(self) -> list[str]:
        """Parts between blank lines, stripped."""
        return [part for raw in self.text.split("\n\n") if (part := raw.strip())]

    @cached_property
    def opening(self) -> list[str]:
        """The first 100,000 words, enough to see repetition in and few enough for memory."""
        return self.words[:OPENING]

    @cached_property
    def opening_characters(self) -> int:
        """Characters that the opening takes up."""
        whole = len(self.words) <= OPENING
        return len(self.text) if whole else sum(map(len, self.opening)) + OPENING - 1

    @cached_property
    def _grams(self) -> list[Numbers]:
        """The numbers of words; `ngrams` appends those of longer runs."""
        known: dict[str, int] = {}
        return [np.array([known.setdefault(word, len(known)) for word in self.opening], np.int64)]

    def ngrams(self, length: int) -> Numbers:
        """A number for each run of `length` words of the opening, the same for equal runs."""
        words = self._grams[0]
        for shorter in range(len(self._grams), length):
            pairs = self._grams[-1][:-1] * len(words) + words[shorter:]
            self._grams.append(np.unique(pairs, return_inverse=True)[1])
        return self._grams[length - 1]


class Finding(NamedTuple):
    """Why a rule says no."""

    value: Number | str
    threshold: Number | str


Check = Callable[[Row], Finding | None]
Measure = Callable[[Row], Number]


def at_least(measure: Measure, bound: Number | None) -> Check | None:
    """A check that the measure reaches the bound; None where there is no bound."""
    if bound is None:
        return None
    return lambda row: Finding(value, bound) if (value := measure(row)) < bound else None


def at_most(measure: Measure, bound: Number | None) -> Check | None:
    """A check that the measure does not exceed the bound; None where there is no bound."""
    if bound is None:
        return None
    return lambda row: Finding(value, bound) if (value := measure(row)) > bound else None


def share(part: Number, whole: Number) -> float:
    """`part / whole`, 0 of nothing being 0."""
    return part / whole if whole else 0.0
