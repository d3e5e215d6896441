"""Kernel: sums of word vectors."""

import numpy as np

from curate.embed.embedder import Vectors
from curate.scan.arrays import I64s, U64s
from curate.scan.compiled import compiled
from curate.scan.words import mixed

ONE, SIXTY_THREE = np.uint64(1), np.uint64(63)


@compiled
def place_of(hashes: U64s, value: np.uint64) -> int:
    """Where a value stands in a sorted table, or -1."""
    low, high = 0, len(hashes)
    while low < high:
        middle = (low + high) // 2
        if hashes[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low if low < len(hashes) and hashes[low] == value else -1


@compiled
def weighted_sums(values: U64s, offsets: I64s, hashes: U64s, weighted: Vectors, out: Vectors) -> None:
    """Add up the vectors of each row's words; a word that is not in the table adds random signs drawn from its hash."""
    dimension = weighted.shape[1]
    scale = np.float32(1 / np.sqrt(dimension))
    for row in range(len(offsets) - 1):
        for at in range(offsets[row], offsets[row + 1]):
            place = place_of(hashes, values[at])
            if place >= 0:
                for axis in range(dimension):
                    out[row, axis] += weighted[place, axis]
                continue
            bits = values[at]
            for axis in range(dimension):
                if axis & 63 == 0:
                    bits = mixed(bits + np.uint64(axis))
                out[row, axis] += scale if bits >> np.uint64(axis & 63) & ONE else -scale
