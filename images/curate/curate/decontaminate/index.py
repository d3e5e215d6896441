"""All n-grams of the benchmarks' items in one hash table, and what a batch of rows shares with them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curate.scan.ready import Ready
from curate.shingles import Hashes, Indices, Ragged, ngrams, offsets_of

POSTINGS = 2_000_000  # spread out at once: 80 MB
AHEAD = 32  # values that kernels ask memory for before they need them
SIEVE_BITS = 8  # per gram: about one stray gram in fifty gets past the filter
NUMBER, POST, SIFT_PARTS, FIND = (
    Ready("curate.decontaminate.kernels", name) for name in ("number", "post", "sift_parts", "find")
)
LONGEST_PART = 6  # words: longer parts of an n-gram are hardly rarer, but more places have to be tried


class Shared(NamedTuple):
    """N-grams that rows share with the items, each once per row: row, first place in the row (words), gram's number."""

    row: Indices
    place: Indices
    gram: Indices


class Overlaps(NamedTuple):
    """Rows and the items they share n-grams with: `covered` counts the item's words inside a shared n-gram."""

    row: Indices
    item: Indices
    covered: Indices


class Postings(NamedTuple):
    """Shared n-grams spread over the items that hold them, sorted by row, item and position in the item (words)."""

    row: Indices
    item: Indices
    position: Indices
    place: Indices
    gram: Indices

    def starts(self) -> Indices:
        """Where each pair of row and item begins."""
        return np.flatnonzero(_changes(self.row, self.item))

    def once(self) -> "Postings":
        """Each n-gram once per pair of row and item, sorted by row, item and gram."""
        order = np.lexsort((self.gram, self.item, self.row))
        rows, items, grams = self.row[order], self.item[order], self.gram[order]
        return Postings(*(part[order[_changes(rows, items, grams)]] for part in self))


class Table:
    """The grams of some items: the number of each distinct one, and where it stands.

    The grams of number g are those at `postings[bounds[g]:bounds[g + 1]]`, in order, among all grams of all items.
    """

    def __init__(self, grams: Ragged) -> None:
        total = len(grams.values)
        self.slots = np.full(_power_of_two(total + total // 2), -1, np.int32)
        keys, numbers, bounds = np.empty(total, np.uint64), np.empty(total, np.int32), np.empty(total + 1, np.int32)
        self.distinct = NUMBER(grams.values, self.slots, keys, bounds, numbers)
        self.postings = np.empty(total, np.int32)
        POST(numbers, bounds, self.postings)
        bounds[self.distinct] = total
        self.keys, self.bounds = (
            keys[: self.distinct],
            bounds[: self.distinct + 1],
        )  # what lies beyond was never touched
        self._starts = grams.offsets

    def items(self, postings: npt.NDArray[np.integer]) -> Indices:
        """The items that hold grams at these places among all grams."""
        return np.searchsorted(self._starts, postings, side="right") - 1


def sieve_for(count: int) -> Hashes:
    """An empty bloom filter for so many keys."""
    return np.zeros(_power_of_two(count * SIEVE_BITS // 64), np.uint64)


class Index(Table):
    """The n-grams of some items; items shorter than `n` words have none here."""

    def __init__(self, items: Ragged, n: int) -> None:
        super().__init__(ngrams(items, n, short=False))
        self.n, self.part = n, min(n, 3 + n // 4, LONGEST_PART)
        self.sieve = sieve_for(len(items.values))
        SIFT_PARTS(*items, n, self.part, self.sieve)

    def shared(self, rows: Ragged) -> Shared:
        """Which n-grams of the items each row of words holds."""
        hits = np.empty((len(rows.values), 3), np.int64)  # pages that stay untouched cost nothing
        samples = np.empty((AHEAD, 3), np.uint64)
        count = FIND(*rows, self.n, self.part, self.slots, self.keys, self.sieve, samples, hits)
        row, place, gram = hits[:count].T
        first = np.sort(np.unique(row << 32 | gram, return_index=True)[1])
        return Shared(row[first], place[first], gram[first])

    def spread(self, shared: Shared) -> Postings:
        """The items that hold each shared n-gram; one that stands in an item twice is there twice."""
        counts = self.bounds[shared.gram + 1] - self.bounds[shared.gram]
        offsets = offsets_of(counts)
        places = np.repeat(self.bounds[shared.gram] - offsets[:-1], counts) + np.arange(offsets[-1])
        stands = self.postings[places]
        items = self.items(stands)
        positions = stands - self._starts[items]
        rows, where, grams = (np.repeat(part, counts) for part in shared)
        order = np.lexsort((positions, items, rows))
        return Postings(*(part[order] for part in (rows, items, positions, where, grams)))

    def found(self, rows: Ragged) -> Iterator[Postings]:
        """The postings of all n-grams that rows of words hold, some rows at a time so that memory stays bounded."""
        shared = self.shared(rows)
        ends = np.cumsum(self.bounds[shared.gram + 1] - self.bounds[shared.gram])
        start = 0
        while start < len(ends):
            before = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + POSTINGS, side="right")))
            if stop < len(ends):
                row_start = int(np.searchsorted(shared.row, shared.row[stop]))
                row_end = int(np.searchsorted(shared.row, shared.row[start], side="right"))
                stop = max(row_start, row_end)  # a row is never split
            yield self.spread(Shared(*(part[start:stop] for part in shared)))
            start = stop

    def overlaps(self, rows: Ragged) -> Overlaps:
        """Which items each row of words shares n-grams with; n-grams that overlap count their common words once."""
        parts = [self._covered(found) for found in self.found(rows)]
        none = np.empty(0, np.int64)
        return Overlaps(*(np.concatenate(columns) for columns in zip(Overlaps(none, none, none), *parts, strict=True)))

    def _covered(self, found: Postings) -> Overlaps:
        starts = found.starts()
        width = np.full(len(found.row), self.n, np.int64)
        width[:-1] = np.minimum(np.diff(found.position), self.n)
        width[starts[1:] - 1] = self.n
        return Overlaps(found.row[starts], found.item[starts], np.add.reduceat(width, starts))


def by_length(items: Ragged, below: int) -> list[tuple[Index, Indices]]:
    """An index for each length under `below` words that items have, with the numbers of those items."""
    lengths = items.lengths
    found: list[tuple[Index, Indices]] = []
    for length in np.unique(lengths[(lengths > 0) & (lengths < below)]).tolist():
        which: npt.NDArray[np.int64] = np.flatnonzero(lengths == length)
        found.append((Index(items.take(which), length), which))
    return found


def _changes(*columns: Indices) -> npt.NDArray[np.bool_]:
    """Whether a row of sorted columns differs from the row before it."""
    new = np.ones(len(columns[0]), bool)
    new[1:] = False
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return new


def _power_of_two(least: int) -> int:
    return 1 << max(int(least) - 1, 1).bit_length()
