"""Sets of n-grams held from the first reading, as long as they fit: a second reading is spared."""

import threading
from dataclasses import dataclass
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
        self._lock, self._own = threading.Lock(), threading.local()

    def holder(self, first_row: int) -> "Holder | None":
        """What takes the sets of the batch that begins with this row; None where there is no room left."""
        return None if self.full else Holder(self, first_row)

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

    def desk(self, count: int) -> U64s:
        """Room for so many values, the same for each batch of a thread: a system takes its time over new pages."""
        if len(getattr(self._own, "desk", ())) < count:
            self._own.desk = np.empty(count, np.uint64)
        desk: U64s = self._own.desk
        return desk

    def hold(self, first_row: int, values: U64s, sizes: I64s) -> None:
        """Take the sets of the batch that begins with this row: of each its size, and all values."""
        with self._lock:
            place = self._filled
            self._filled += len(values)
            self.full = self.full or self._filled > ROOM
            if self.full:
                self._values, self._places = np.empty(0, np.uint64), {}
                return
            self._values[place : place + len(values)] = values
            self._places[first_row] = place + offsets_of(sizes)[:-1]


@dataclass(frozen=True)
class Holder:
    """Takes the sets of one batch."""

    shelf: Shelf
    first_row: int

    def desk(self, count: int) -> U64s:
        """Where so many values can be made ready."""
        return self.shelf.desk(count)

    def hold(self, values: U64s, sizes: I64s) -> None:
        """Take the batch's sets: of each its size, and all values, one set after another."""
        self.shelf.hold(self.first_row, values, sizes)
