"""How a MinHash signature is cut into bands, and the hash functions it is made with."""

from typing import NamedTuple

import numpy as np

from curate.scan.arrays import U32s
from curate.shingles import mix

FUNCTIONS = 125  # hash functions spent at most: 20 bands x 6 rows at 0.8, 25 x 5 at 0.7
RECALL = 0.985  # least share of the pairs exactly at the threshold that must share a band


class Bands(NamedTuple):
    """How a signature is cut: a pair is a candidate when all `rows` values of one of the `bands` are equal."""

    bands: int
    rows: int

    @property
    def functions(self) -> int:
        """Hash functions in a signature."""
        return self.bands * self.rows

    def recall(self, similarity: float) -> float:
        """Probability that a pair of this Jaccard similarity becomes a candidate."""
        return 1 - (1 - similarity**self.rows) ** self.bands


def bands_for(threshold: float) -> Bands:
    """The most selective bands that still find pairs at the threshold with a probability of at least `RECALL`."""
    cuts = [Bands(FUNCTIONS // rows, rows) for rows in range(1, FUNCTIONS // 2 + 1)]
    return [cut for cut in cuts if cut.recall(threshold) >= RECALL][-1]


def functions(count: int, seed: int) -> tuple[U32s, U32s]:
    """Multipliers (odd, so that each function is a permutation) and addends of multiply-add functions modulo 2**32."""
    drawn = mix(np.arange(1, 2 * count + 1, dtype=np.uint64) + mix(np.full(1, seed, np.uint64)) * np.uint64(2))
    halves = (drawn >> np.uint64(32)).astype(np.uint32)
    return halves[:count] | np.uint32(1), halves[count:]
