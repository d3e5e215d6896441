"""Kernels: from hashed words to hashed n-grams."""

import numpy as np

from curate.scan.arrays import I64s, U64s
from curate.scan.compiled import compiled
from curate.scan.words import mixed

STEP = np.uint64(0xD6E8FEB86659FD93)


@compiled
def ngrams_of(words: U64s, start: int, end: int, n: int, short: bool, out: U64s, filled: int) -> int:
    """Hash the n-grams of one row of words into `out` from `filled` on; returns how far `out` is filled then.

    A row of fewer than `n` words has one n-gram of all its words if `short`, else none.
    """
    if end - start < n:
        if end == start or not short:
            return filled
        n = end - start
    for first in range(start, end - n + 1):
        total = np.uint64(n)
        for position in range(first, first + n):
            total = total * STEP + words[position]
        out[filled] = mixed(total)
        filled += 1
    return filled


@compiled
def ngrams_of_all(words: U64s, bounds: I64s, n: int, short: bool, out: U64s, offsets: I64s) -> None:
    """Hash the n-grams of all rows into `out`; `offsets` receives where each row begins."""
    filled = 0
    offsets[0] = 0
    for row in range(len(bounds) - 1):
        filled = ngrams_of(words, bounds[row], bounds[row + 1], n, short, out, filled)
        offsets[row + 1] = filled
