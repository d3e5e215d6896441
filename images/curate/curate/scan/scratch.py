"""Memory that kernels work in while they make sets of hashed n-grams: they are given it, since they make no arrays."""

from typing import NamedTuple

import numpy as np

from curate.scan.arrays import I64s, U64s
from curate.scan.buffers import Bytes

FEWEST = 16  # slots of a hash table


class Scratch(NamedTuple):
    """Room for the words of one text, for its n-grams, and for a hash table of them."""

    words: U64s
    shingles: U64s
    slots: U64s


def scratch_for(texts: Bytes, rows: I64s) -> Scratch:
    """Scratch for each of some texts; pages that are never written cost nothing."""
    most = int(np.diff(texts.offsets)[rows].max(initial=0)) // 2 + 1  # a word takes a byte, and one that ends it
    return Scratch(np.empty(most, np.uint64), np.empty(most, np.uint64), room_for_slots(most))


def room_for_slots(count: int) -> U64s:
    """Room for a hash table of up to `count` values, twice as large at least: a power of two."""
    return np.empty(max(FEWEST, 1 << (2 * count - 1).bit_length()), np.uint64)
