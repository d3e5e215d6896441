"""What a mapper changed: rows, characters, and a few examples."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint32]

EXAMPLES = 3
BEFORE, AFTER = 60, 140
"""Characters shown before and from the first difference on."""
CUT = " …"
NARROW = 0x3000
"""Characters below are counted in one table; a table for all of Unicode would be a megabyte for each text."""


@dataclass(frozen=True)
class Example:
    """The first place where a mapper changed a row."""

    id: str
    before: str
    after: str


@dataclass
class Tally:
    """Rows changed, and characters taken out or put in, whichever is more for each row."""

    rows: int = 0
    characters: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Count another part of the rows, later ones."""
        self.rows += other.rows
        self.characters += other.characters
        self.examples += other.examples[: EXAMPLES - len(self.examples)]


def changed_characters(before: str, after: str) -> int:
    """How many characters were taken out or put in, whichever is more; moved characters do not count."""
    if before.isascii() and after.isascii():
        return _gained(np.frombuffer(before.encode(), np.uint8), np.frombuffer(after.encode(), np.uint8), 128)
    left, right = (np.frombuffer(text.encode("utf-32-le"), np.uint32) for text in (before, after))
    highest = max(left.max(initial=0), right.max(initial=0))
    if highest < NARROW:
        return _gained(left, right, int(highest) + 1)
    counted, other = Counter(before), Counter(after)
    return max((counted - other).total(), (other - counted).total())


def excerpt(row_id: str, before: str, after: str) -> Example:
    """The surroundings of the first difference of two texts."""
    place = first_difference(before, after)
    start = max(0, place - BEFORE)
    return Example(row_id, *(shortened(text, start, place + AFTER) for text in (before, after)))


def first_difference(left: str, right: str) -> int:
    """The length of the beginning that two texts share, by halving: slices compare far faster than a loop."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def shortened(text: str, start: int, end: int) -> str:
    """A part of a text, with an ellipsis where it was cut."""
    return ("… " if start else "") + text[start:end] + (CUT if end < len(text) else "")


def _gained(left: Codes, right: Codes, length: int) -> int:
    """The number of characters that one has more than the other, whichever has more."""
    gained = np.bincount(right, minlength=length) - np.bincount(left, minlength=length)
    more = int(gained.sum())  # what came in less what went
    moved = int(np.abs(gained).sum())  # and both together
    return (moved + abs(more)) // 2
