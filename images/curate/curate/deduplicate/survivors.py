"""Who stays: a greedy choice over the graph of verified pairs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curate.shingles import Indices

KEPT = -1


class Choice(NamedTuple):
    """For each row the kept row that it repeats, or `KEPT`, and their similarity."""

    partner: Indices
    similarity: npt.NDArray[np.float64]


def choose(count: int, left: Indices, right: Indices, similarity: npt.NDArray[np.float64]) -> Choice:
    """Walk the rows, best first (row 0 is the best): a row goes when a kept row is its duplicate, else it stays.

    So every row that goes has a kept partner that really is that similar, which chains of duplicates would not give.
    The partner is the most similar kept one, ties by rank.
    """
    partner, alike = [KEPT] * count, [1.0] * count
    order = np.lexsort((left, -similarity, right))
    edges = zip(left[order].tolist(), right[order].tolist(), similarity[order].tolist(), strict=True)
    for better, row, value in edges:
        if partner[row] == KEPT and partner[better] == KEPT:
            partner[row], alike[row] = better, value
    return Choice(np.array(partner, np.int64), np.array(alike))


def first_of(keys: Sequence[bytes | None]) -> Indices:
    """For each row the first row with the same key; rows without a key stand alone."""
    seen: dict[bytes, int] = {}
    return np.array([row if key is None else seen.setdefault(key, row) for row, key in enumerate(keys)], np.int64)
