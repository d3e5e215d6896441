"""Sets of n-grams held from the first reading, as long as they fit: a second reading is spared."""

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from curate.scan.arrays import I64s, U64s
from curate.shingles import offsets_of

ROOM = 32_000_000  # values: 256 MB


class Sets(NamedTuple):
    """Sets of n-grams: where in `values` that of each row begins. A set's values in any order, none of them twice."""

    values: U64s
    places: I64s


class Shelf:
    """Holds the sets of batches by their first row, or, once they are too many, none at all.

    Threads put them down one after another as they come, so that where a set lies is left to chance.
    """

    def __init__(self) -> None:
        self.full = False
        self._values, self._filled = np.empty(ROOM, np.uint64), 0  # pages never written cost nothing
        self._places: dict[int, I64s] = {}
        self._lock = threading.Lock()

    def holder(self, first_row: int) -> Callable[[U64s, I64s], None] | None:
        """What takes the sets of the batch that begins with this row; None where there is no room left."""
        return None if self.full else lambda values, sizes: self._hold(first_row, values, sizes)

    def sets(self, some: I64s) -> Sets | None:
        """The sets of the rows with these ascending numbers; None where any was not held."""
        if self.full:
            return None
        parts = [np.empty(0, np.int64)]
        for first_row, places in sorted(self._places.items()):
            start, end = np.searchsorted(some, [first_row, first_row + len(places)])
            parts.append(places[some[start:end] - first_row])
        found = np.concatenate(parts)
        return Sets(self._values, found) if len(found) == len(some) else None

    def _hold(self, first_row: int, values: U64s, sizes: I64s) -> None:
        with self._lock:
            place = self._filled
            self._filled += len(values)
            self.full = self.full or self._filled > ROOM
            if self.full:
                self._values, self._places = np.empty(0, np.uint64), {}
                return
            self._values[place : place + len(values)] = values
            self._places[first_row] = place + offsets_of(sizes)[:-1]
