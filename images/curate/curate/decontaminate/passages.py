"""Where a row and an item say the same: runs of common words, as character spans in both texts."""

import re
from collections.abc import Sequence
from typing import NamedTuple

WORD = re.compile(r"\w+")


class Span(NamedTuple):
    """Characters `start` to `end` of a text."""

    start: int
    end: int


class Common(NamedTuple):
    """The passages of a row and of an item that stand in the other, and the row's longest as it is written there."""

    row: list[Span]
    item: list[Span]
    longest: str


class Words(NamedTuple):
    """A text with its words, lower-cased, and where each stands."""

    text: str
    words: list[str]
    spans: list[Span]


def words_in(text: str) -> Words:
    """The words of a text; each is lower-cased by itself since a text may grow by it."""
    found = list(WORD.finditer(text))
    return Words(text, [match[0].lower() for match in found], [Span(*match.span()) for match in found])


def common(row: Words, item: Words, n: int) -> Common:
    """Passages of at least `n` words (fewer where the item has fewer) that both texts hold, whatever their case."""
    n = max(1, min(n, len(item.words), len(row.words)))
    row_grams, item_grams = _grams(row.words, n), _grams(item.words, n)
    shared = set(row_grams) & set(item_grams)
    in_row = _passages(row_grams, shared, row.spans, n)
    longest = max(in_row, key=lambda span: span.end - span.start, default=Span(0, 0))
    return Common(in_row, _passages(item_grams, shared, item.spans, n), row.text[longest.start : longest.end])


def _grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


def _passages(
    grams: Sequence[tuple[str, ...]], shared: set[tuple[str, ...]], spans: Sequence[Span], n: int
) -> list[Span]:
    found: list[Span] = []
    for place, gram in enumerate(grams):
        if gram in shared:
            start, end = spans[place].start, spans[place + n - 1].end
            if found and start <= found[-1].end:
                start = found.pop().start
            found.append(Span(start, end))
    return found
