r"""Characters as they compare in any case, as one table.

Entry `c` holds the case-folded form of code point `c` in its lower 21 bits, `WORD` where `\w` matches that form, and
`SEVERAL` where folding gives several characters; then the lower bits are a row of `EXPANSIONS`.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

WORD, SEVERAL, MARKED = 1 << 31, 1 << 30, 1 << 29
FOLDED = (1 << 21) - 1
ALL, LAST_CASED = 0x110000, 0x1F000


class Folding(NamedTuple):
    """The table, and for characters that fold into several the entries of those, ended by 0; shape `(n, 4)`."""

    table: npt.NDArray[np.uint32]
    expansions: npt.NDArray[np.uint32]


@cache
def folding() -> Folding:
    """Folding as `str.casefold` does it."""
    points = np.arange(ALL, dtype=np.uint32)
    table = points | np.where(np.char.isalnum(points.view("<U1")), np.uint32(WORD), np.uint32(0))
    table[ord("_")] |= WORD
    plain = table.copy()
    rows: list[list[int]] = []
    for point in range(LAST_CASED):
        folded = chr(point).casefold()
        if len(folded) > 1:
            table[point] = SEVERAL | len(rows)
            rows.append([*(int(plain[ord(character)]) for character in folded), 0, 0][:4])
        elif ord(folded) != point:
            table[point] = plain[ord(folded)]
    return Folding(table, np.array(rows, np.uint32))


def marked(marks: set[str]) -> Folding:
    """The folding with `MARKED` at every character that folds into something beginning with one of the marks."""
    table, expansions = folding()
    table = table.copy()
    wanted = {ord(mark) for mark in marks}
    several = (table & SEVERAL) > 0
    first = np.where(several, expansions[np.where(several, table & FOLDED, 0), 0], table) & FOLDED
    table[np.isin(first, list(wanted))] |= MARKED
    return Folding(table, expansions)
