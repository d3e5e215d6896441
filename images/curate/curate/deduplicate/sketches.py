"""Kernel: the sketch of a text, which is a MinHash signature of its set of n-grams (Broder 1997).

Of each of the signature's minima one byte is kept. Two different minima have equal bytes once in 256 times, which only
adds a few candidates: nothing is decided on a sketch.
"""

import numpy as np

from curate.scan.arrays import I64s, U8s, U32s, U64s
from curate.scan.compiled import compiled
from curate.scan.scratch import Scratch
from curate.scan.sets import shingles_into
from curate.scan.words import SALT, mixed

LARGEST, SPREAD, TOP = np.uint32(0xFFFFFFFF), np.uint32(0x9E3779B1), np.uint32(24)
HIGH_HALF = np.uint64(32)


@compiled
def minima(values: U64s, count: int, multipliers: U32s, addends: U32s, least: U32s) -> None:
    """The least hash of all values under each function `multiplier * value + addend` modulo 2**32; four at a time."""
    for number in range(0, count, 4):
        a = np.uint32(values[number] >> HIGH_HALF)
        b = np.uint32(values[min(number + 1, count - 1)] >> HIGH_HALF)
        c = np.uint32(values[min(number + 2, count - 1)] >> HIGH_HALF)
        d = np.uint32(values[min(number + 3, count - 1)] >> HIGH_HALF)
        for function in range(len(least)):
            factor, added = multipliers[function], addends[function]
            first = min(np.uint32(factor * a + added), np.uint32(factor * b + added))
            second = min(np.uint32(factor * c + added), np.uint32(factor * d + added))
            least[function] = min(least[function], min(first, second))


@compiled
def set_digest_into(values: U64s, count: int, out: U64s) -> None:
    """A digest of a set, whatever the order of its values."""
    one, two = np.uint64(count), SALT
    for number in range(count):
        one += values[number]
        two += mixed(values[number] ^ SALT)
    out[0], out[1] = mixed(one), mixed(two)


@compiled
def sketches_of(
    data: U8s,
    offsets: I64s,
    rows: I64s,
    table: U32s,
    n: int,
    multipliers: U32s,
    addends: U32s,
    least: U32s,
    scratch: Scratch,
    sizes: I64s,
    digests: U64s,
    signatures: U8s,
    sets: U64s,
) -> None:
    """Size, digest and signature of the set of n-grams of each of some rows; zeros for a row without words.

    `sizes` has shape `(len(rows),)`, `digests` `(len(rows), 2)`, `signatures` `(len(rows), functions)`. The sets go
    into `sets`, one after another, unless it has no room at all. `least` is room for a value per function.
    """
    filled, shingles = 0, scratch.shingles
    for number in range(len(rows)):
        row = rows[number]
        count = shingles_into(data, offsets[row], offsets[row + 1], table, n, scratch)
        sizes[number] = count
        if len(sets):
            for member in range(count):
                sets[filled + member] = shingles[member]
            filled += count
        set_digest_into(shingles, count, digests[number])
        least[:] = LARGEST
        minima(shingles, count, multipliers, addends, least)
        for function in range(len(least)):
            signatures[number, function] = np.uint32(least[function] * SPREAD) >> TOP if count else 0
