"""Candidates: for each row, the items that share with it the rarest pairs of words near one another."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curate.decontaminate.index import Table, sieve_for
from curate.shingles import Indices, Ragged, as_sets

APART = 4  # words: farther ones have little to do with one another
MOST_HOLDERS = 50  # items: a pair that more of them hold tells none of them from others
LEAST_COSINE = 0.02  # below, no rephrased item of the gold set was found by the second look


class Candidates(NamedTuple):
    """The best items of each row, of shape `(rows, k)`, -1 where there are fewer, with the cosine of each."""

    items: Indices
    cosines: npt.NDArray[np.float64]


class Retriever:
    """An inverted index of the items' word pairs, each weighed by how few items hold it."""

    def __init__(self, items: Ragged, k: int) -> None:
        from curate.decontaminate import kernels

        self.k = k
        pairs = as_sets(near_pairs(items))
        self._table = Table(pairs)
        self._holders = self._table.items(self._table.postings)
        self._sieve = sieve_for(len(pairs.values))
        kernels.sift(pairs.values, self._sieve)
        count = len(items.offsets) - 1
        self._unknown = float(np.log((count + 1) / 0.5))
        self._weights = np.log((count + 1) / (np.diff(self._table.bounds) + 0.5))
        squares = np.repeat(self._weights**2, np.diff(self._table.bounds))
        self._lengths = np.sqrt(np.bincount(self._holders, squares, minlength=count))

    def candidates(self, rows: Ragged) -> Candidates:
        """The `k` items of highest cosine for each row of words; ties go to the earlier item."""
        from curate.decontaminate.rephrased import kernels

        shape = (len(rows.offsets) - 1, self.k)
        found = Candidates(np.full(shape, -1, np.int64), np.zeros(shape))
        table = self._table
        kernels.retrieve(
            rows.values, rows.offsets, APART, table.slots, table.keys, self._sieve, table.bounds, self._holders,
            MOST_HOLDERS, self._weights, self._lengths, self._unknown, *found,
        )  # fmt: skip
        return found


def near_pairs(rows: Ragged) -> Ragged:
    """All pairs of words of each row that are at most `APART` words apart, hashed."""
    from curate.decontaminate.rephrased import kernels

    out = np.empty(len(rows.values) * APART, np.uint64)
    offsets = np.empty(len(rows.offsets), np.int64)
    kernels.pairs_of_all(rows.values, rows.offsets, APART, out, offsets)
    return Ragged(out[: offsets[-1]], offsets)
