"""Spans of a text, joined to extracts of bounded length. A span is (start, end) in characters of the text."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

BREAK = re.compile(r"\s")


class Span(NamedTuple):
    """A piece of text that stays whole. `opens` says that a section begins with it."""

    start: int
    end: int
    opens: bool = False

    @property
    def length(self) -> int:
        """Characters."""
        return self.end - self.start


def join(spans: Iterable[Span], minimum: int, maximum: int) -> list[Span]:
    """Neighbouring spans joined as long as the result is at most `maximum` characters long.

    A span that is longer by itself stays whole. Once `minimum` is reached, a span that opens a section starts anew.
    """
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is None or span.end - last.start > maximum or (span.opens and last.length >= minimum):
            joined.append(span)
        else:
            joined[-1] = last._replace(end=span.end)
    return joined


def cut_oversize(spans: Iterable[Span], text: str, maximum: int) -> Iterator[Span]:
    """Spans above `maximum` cut at the last line end below it, else at the last white space, else right there."""
    for span in spans:
        while span.length > maximum:
            end = _cut_at(text, span.start, span.start + maximum)
            yield trimmed(text, span.start, end, span.opens)
            span = trimmed(text, end, span.end)
        yield span


def trimmed(text: str, start: int, end: int, opens: bool = False) -> Span:
    """A span without the white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end, opens)


def _cut_at(text: str, start: int, limit: int) -> int:
    """A line end in the second half, else the last white space there, else the limit itself."""
    if BREAK.match(text, limit):
        return limit
    middle = (start + limit) // 2
    for candidate in (text.rfind("\n", middle, limit), *_last_space(text, middle, limit)):
        if candidate > start:
            return candidate
    return limit


def _last_space(text: str, start: int, end: int) -> Iterator[int]:
    found = [match.start() for match in BREAK.finditer(text, start, end)]
    yield from found[-1:]
