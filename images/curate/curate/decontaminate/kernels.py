"""Compiled loops over word hashes: number n-grams, find them again in rows, count what a row covers of an item.

An n-gram's hash equals that of `shingles.ngrams`: the words' polynomial in `STEP`, rolled on by one word at a time,
then mixed; so a gram costs the same at any n. A bloom filter of one cache line's word answers for most grams of most
rows; only what passes it is looked up in the table.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.shingles import STEP, Hashes, Indices

F = TypeVar("F", bound=Callable[..., Any])
Numbers = npt.NDArray[np.int32]

U = np.uint64
STEP_, M1, M2 = U(STEP), U(0xBF58476D1CE4E5B9), U(0x94D049BB133111EB)
S6, S27, S30, S31, S32, LOW6, ONE = U(6), U(27), U(30), U(31), U(32), U(63), U(1)


def kernel(function: F) -> F:
    """Compile on first use, remember on disk, run without the interpreter's lock."""
    compiled: F = njit(cache=True, nogil=True)(function)
    return compiled


@kernel
def mixed(value: Any) -> Any:
    """The finaliser of SplitMix64, as `shingles.mix`."""
    value = (value ^ (value >> S30)) * M1
    value = (value ^ (value >> S27)) * M2
    return value ^ (value >> S31)


@kernel
def powers(n: int) -> Any:
    """What a gram's hash needs: the constant for its length, and the weight of its first word."""
    high = ONE
    for _ in range(n - 1):
        high = high * STEP_
    return U(n) * high * STEP_, high


@kernel
def bits_of(key: Any) -> Any:
    """The two bits of a key in its word of the bloom filter."""
    return (ONE << (key & LOW6)) | (ONE << ((key >> S6) & LOW6))


@kernel
def number(grams: Hashes, slots: Numbers, keys: Hashes, bloom: Hashes, numbers: Numbers) -> int:
    """Give equal grams equal numbers, in order of first sight; returns how many distinct ones there are.

    Fills `slots` (open addressing, -1 is free), `keys` (the gram of each number), `bloom`, and `numbers` (per gram).
    """
    count = 0
    slot_mask, bloom_mask = U(len(slots) - 1), U(len(bloom) - 1)
    for i in range(len(grams)):
        key = grams[i]
        slot = key & slot_mask
        while slots[slot] >= 0 and keys[slots[slot]] != key:
            slot = (slot + ONE) & slot_mask
        if slots[slot] < 0:
            slots[slot] = count
            keys[count] = key
            bloom[(key >> S32) & bloom_mask] |= bits_of(key)
            count += 1
        numbers[i] = slots[slot]
    return count


@kernel
def post(numbers: Numbers, offsets: Indices, bounds: Indices, items: Numbers, positions: Numbers) -> None:
    """Postings of each gram: the items that hold it and where, in order. `bounds` ends as where each gram's end."""
    for item in range(len(offsets) - 1):
        for i in range(offsets[item], offsets[item + 1]):
            place = bounds[numbers[i]]
            items[place] = item
            positions[place] = i - offsets[item]
            bounds[numbers[i]] = place + 1


@kernel
def find(values: Hashes, offsets: Indices, n: int, slots: Numbers, keys: Hashes, bloom: Hashes, hits: Indices) -> int:
    """All known n-grams of some rows of words, as (row, word position, gram number); returns how many."""
    count = 0
    slot_mask, bloom_mask = U(len(slots) - 1), U(len(bloom) - 1)
    base, high = powers(n)
    for row in range(len(offsets) - 1):
        start, end = offsets[row], offsets[row + 1]
        if end - start < n:
            continue
        rolling = U(0)
        for i in range(start, start + n - 1):
            rolling = rolling * STEP_ + values[i]
        for i in range(start + n - 1, end):
            rolling = rolling * STEP_ + values[i]
            key = mixed(rolling + base)
            rolling -= values[i - n + 1] * high
            word = bloom[(key >> S32) & bloom_mask]
            bits = bits_of(key)
            if word & bits != bits:
                continue
            slot = key & slot_mask
            while slots[slot] >= 0 and keys[slots[slot]] != key:
                slot = (slot + ONE) & slot_mask
            if slots[slot] >= 0:
                hits[count, 0], hits[count, 1], hits[count, 2] = row, i - n + 1 - start, slots[slot]
                count += 1
    return count
