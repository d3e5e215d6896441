"""Compiled loops over word hashes: number n-grams, find them again in rows, count what a row covers of an item.

An n-gram's hash equals that of `shingles.ngrams`: the words' polynomial in `STEP`, rolled on by one word at a time,
then mixed; so a gram costs the same at any n. A bloom filter of one cache line's word answers for most grams of most
rows; only what passes it is looked up in the table.
"""

import numpy as np

from curate.scan.arrays import I32s, I64s, U64s
from curate.scan.compiled import compiled
from curate.scan.ngrams import STEP
from curate.scan.words import mixed

ONE, LOW6, SIX, HALF = np.uint64(1), np.uint64(63), np.uint64(6), np.uint64(32)


@compiled
def powers(n: int) -> tuple[np.uint64, np.uint64]:
    """What a gram's hash needs: the constant for its length, and the weight of its first word."""
    high = ONE
    for _ in range(n - 1):
        high = high * STEP
    return np.uint64(n) * high * STEP, high


@compiled
def bits_of(key: np.uint64) -> np.uint64:
    """The two bits of a key in its word of the bloom filter."""
    return (ONE << (key & LOW6)) | (ONE << ((key >> SIX) & LOW6))


@compiled
def number(grams: U64s, slots: I32s, keys: U64s, bloom: U64s, numbers: I32s) -> int:
    """Give equal grams equal numbers, in order of first sight; returns how many distinct ones there are.

    Fills `slots` (open addressing, -1 is free), `keys` (the gram of each number), `bloom`, and `numbers` (per gram).
    """
    count = 0
    slot_mask, bloom_mask = np.uint64(len(slots) - 1), np.uint64(len(bloom) - 1)
    for i in range(len(grams)):
        key = grams[i]
        slot = key & slot_mask
        while slots[slot] >= 0 and keys[slots[slot]] != key:
            slot = (slot + ONE) & slot_mask
        if slots[slot] < 0:
            slots[slot] = count
            keys[count] = key
            bloom[(key >> HALF) & bloom_mask] |= bits_of(key)
            count += 1
        numbers[i] = slots[slot]
    return count


@compiled
def post(numbers: I32s, offsets: I64s, bounds: I64s, items: I32s, positions: I32s) -> None:
    """Postings of each gram: the items that hold it and where, in order. `bounds` ends as where each gram's end."""
    for item in range(len(offsets) - 1):
        for i in range(offsets[item], offsets[item + 1]):
            place = bounds[numbers[i]]
            items[place] = item
            positions[place] = i - offsets[item]
            bounds[numbers[i]] = place + 1


@compiled
def known(key: np.uint64, slots: I32s, keys: U64s, bloom: U64s) -> int:
    """The number of a gram, or -1."""
    bits = bits_of(key)
    if bloom[(key >> HALF) & np.uint64(len(bloom) - 1)] & bits != bits:
        return -1
    slot_mask = np.uint64(len(slots) - 1)
    slot = key & slot_mask
    while slots[slot] >= 0 and keys[slots[slot]] != key:
        slot = (slot + ONE) & slot_mask
    return int(slots[slot])


@compiled
def find(values: U64s, offsets: I64s, n: int, slots: I32s, keys: U64s, bloom: U64s, hits: I64s) -> int:
    """All known n-grams of some rows of words, as (row, word position, gram number); returns how many."""
    count = 0
    base, high = powers(n)
    for row in range(len(offsets) - 1):
        start, end = offsets[row], offsets[row + 1]
        if end - start < n:
            continue
        rolling = np.uint64(0)
        for i in range(start, start + n - 1):
            rolling = rolling * STEP + values[i]
        for i in range(start + n - 1, end):
            rolling = rolling * STEP + values[i]
            gram = known(mixed(rolling + base), slots, keys, bloom)
            rolling -= values[i - n + 1] * high
            if gram >= 0:
                hits[count, 0], hits[count, 1], hits[count, 2] = row, i - n + 1 - start, gram
                count += 1
    return count
