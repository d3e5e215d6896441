"""Places in a text that hold something private, and what is put there instead."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

PLACEHOLDER = re.compile(r"<[A-Z][A-Z_]{1,40}(?:_\d{1,9})?>")
SHOWN = re.compile(r"[^\W_]")
MASK = "•"
LONGEST_MASK = 40


class Span(NamedTuple):
    """Characters `start` to `end` of a text are of a `kind`, and `<label>` is what may stand there."""

    start: int
    end: int
    kind: str
    label: str


@dataclass
class Placeholders:
    """The placeholders of one row. Numbered ones are equal where the values are, but for case and punctuation."""

    numbered: bool = False
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)

    def of(self, span: Span, text: str) -> str:
        """What stands in the span's place."""
        if not self.numbered:
            return f"<{span.label}>"
        value = (span.label, "".join(SHOWN.findall(text[span.start : span.end])).casefold())
        if value not in self._numbers:
            self._last[span.label] = self._last.get(span.label, 0) + 1
            self._numbers[value] = self._last[span.label]
        return f"<{span.label}_{self._numbers[value]}>"


def apart(spans: Iterable[Span]) -> list[Span]:
    """Spans in order of place, none sharing characters with another: what comes first in `spans` stays."""
    kept: list[Span] = []
    for span in spans:
        place = bisect_left(kept, span)
        if (place == 0 or kept[place - 1].end <= span.start) and (place == len(kept) or kept[place].start >= span.end):
            kept.insert(place, span)
    return kept


def replaced(text: str, spans: Sequence[Span], placeholders: Placeholders) -> str:
    """The text with placeholders; `spans` are in order and apart."""
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], placeholders.of(span, text)]
        end = span.end
    return "".join([*parts, text[end:]])


def masked(value: str) -> str:
    """A value's shape: letters and digits as dots, so that an example shows where it was and never what it was."""
    dots = SHOWN.sub(MASK, value)
    return dots if len(dots) <= LONGEST_MASK else f"{dots[:LONGEST_MASK]}…"
