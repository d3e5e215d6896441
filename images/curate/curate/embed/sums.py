"""Kernel: sums of word vectors."""

import numpy as np

from curate.embed.embedder import Vectors
from curate.scan.arrays import I64s, U64s
from curate.scan.compiled import compiled
from curate.scan.words import mixed

ONE = np.uint64(1)


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
def add_signs(value: np.uint64, scale: np.float32, out: Vectors, row: int) -> None:
    """Add a vector of signs drawn from a hash to one row: it is like itself and, nearly, at right angles to others."""
    bits = value
    for axis in range(out.shape[1]):
        if axis & 63 == 0:
            bits = mixed(bits + np.uint64(axis))
        out[row, axis] += scale if bits >> np.uint64(axis & 63) & ONE else -scale


@compiled
def signs_of(values: U64s, scale: np.float32, out: Vectors) -> None:
    """Add the signs of each hash to its row."""
    for row in range(len(values)):
        add_signs(values[row], scale, out, row)


@compiled
def weighted_sums(
    values: U64s, offsets: I64s, hashes: U64s, weighted: Vectors, scale: np.float32, out: Vectors
) -> None:
    """Add up the vectors of each row's words; a word that is not in the table adds its signs."""
    for row in range(len(offsets) - 1):
        for at in range(offsets[row], offsets[row + 1]):
            place = place_of(hashes, values[at])
            if place < 0:
                add_signs(values[at], scale, out, row)
                continue
            for axis in range(weighted.shape[1]):
                out[row, axis] += weighted[place, axis]
