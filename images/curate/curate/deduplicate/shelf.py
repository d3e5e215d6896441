"""Sets of n-grams held from the first reading, as long as they fit: a second reading is spared."""

from collections.abc import Callable

import numpy as np

from curate.scan.arrays import I64s, U64s
from curate.shingles import Ragged, join, offsets_of

ROOM = 32_000_000  # values: 256 MB


class Shelf:
    """Holds the sets of batches by their first row, or, once they are too many, none at all."""

    def __init__(self) -> None:
        self.values, self.full = 0, False
        self._held: dict[int, Ragged] = {}

    def holder(self, first_row: int) -> Callable[[U64s, I64s], None] | None:
        """What takes the sets of the batch that begins with this row; None where there is no room left."""
        return None if self.full else lambda values, sizes: self._hold(first_row, values, sizes)

    def sets(self, some: I64s) -> Ragged | None:
        """The sets of the rows with these ascending numbers; None where any was not held."""
        if self.full:
            return None
        parts = []
        for first_row, held in sorted(self._held.items()):
            start, end = np.searchsorted(some, [first_row, first_row + len(held.lengths)])
            parts.append(held.take(some[start:end] - first_row))
        found = join(parts)
        return found if len(found.lengths) == len(some) else None

    def _hold(self, first_row: int, values: U64s, sizes: I64s) -> None:
        self.values += len(values)
        self.full = self.full or self.values > ROOM
        if self.full:
            self._held.clear()
        else:
            self._held[first_row] = Ragged(values, offsets_of(sizes))
