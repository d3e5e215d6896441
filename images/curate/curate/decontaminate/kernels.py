"""Compiled loops over word hashes: number n-grams, find them again in rows.

An n-gram's hash equals that of `shingles.ngrams`. Rows are searched by samples (Sutinen and Tarhio 1996): an n-gram
that an item and a row share holds parts of `part` words, one of which stands in the row at a multiple of
`n - part + 1`, so only those places are tried, in a bloom filter. Where a part passes it, the n-grams around it are
looked up. What 90,000 items fill fits no fast cache, so memory is asked for some steps before it is needed.
"""

import numpy as np

from curate.decontaminate.index import AHEAD
from curate.scan.ahead import ask_for
from curate.scan.arrays import I32s, I64s, U64s
from curate.scan.compiled import compiled
from curate.scan.ngrams import STEP
from curate.scan.words import mixed

ONE, LOW6, SIX, HALF = np.uint64(1), np.uint64(63), np.uint64(6), np.uint64(32)


@compiled
def gram_at(words: U64s, at: int, n: int) -> np.uint64:
    """Hash of the n-gram that begins at a word."""
    total = np.uint64(n)
    for place in range(at, at + n):
        total = total * STEP + words[place]
    return mixed(total)


@compiled
def bits_of(key: np.uint64) -> np.uint64:
    """The two bits of a key in its word of the sieve."""
    return (ONE << (key & LOW6)) | (ONE << ((key >> SIX) & LOW6))


@compiled
def sift(keys: U64s, sieve: U64s) -> None:
    """Enter keys into a bloom filter, the sieve; its length is a power of two."""
    last = np.uint64(len(sieve) - 1)
    for key in keys:
        sieve[(key >> HALF) & last] |= bits_of(key)


@compiled
def sift_parts(words: U64s, offsets: I64s, n: int, part: int, sieve: U64s) -> None:
    """Enter all grams of `part` words of rows that have an n-gram."""
    last = np.uint64(len(sieve) - 1)
    for row in range(len(offsets) - 1):
        if offsets[row + 1] - offsets[row] < n:
            continue
        for first in range(offsets[row], offsets[row + 1] - part + 1, AHEAD):
            end = min(first + AHEAD, offsets[row + 1] - part + 1)
            for at in range(first, end):
                ask_for(sieve, np.int64((gram_at(words, at, part) >> HALF) & last))
            for at in range(first, end):
                key = gram_at(words, at, part)
                sieve[(key >> HALF) & last] |= bits_of(key)


@compiled
def passes(key: np.uint64, sieve: U64s) -> bool:
    """Whether a key may have been entered; one in fifty others passes too."""
    bits = bits_of(key)
    return sieve[(key >> HALF) & np.uint64(len(sieve) - 1)] & bits == bits  # type: ignore[no-any-return]


@compiled
def slot_of(key: np.uint64, slots: I32s, keys: U64s) -> np.uint64:
    """Where a gram is in the hash table (open addressing, -1 is free), or would be."""
    last = np.uint64(len(slots) - 1)
    slot = key & last
    while slots[slot] >= 0 and keys[slots[slot]] != key:
        slot = (slot + ONE) & last
    return slot


@compiled
def number(grams: U64s, slots: I32s, keys: U64s, bounds: I32s, numbers: I32s) -> int:
    """Give equal grams equal numbers, in order of first sight; returns how many distinct ones there are.

    Fills `slots`, `keys` (the gram of each number), `numbers` (per gram), and `bounds`, which gets for each number
    where the postings of all numbers up to it end.
    """
    count, last = 0, np.uint64(len(slots) - 1)
    for i in range(len(grams)):
        if i + AHEAD < len(grams):
            ask_for(slots, np.int64(grams[i + AHEAD] & last))
        slot = slot_of(grams[i], slots, keys)
        if slots[slot] < 0:
            slots[slot] = count
            keys[count] = grams[i]
            bounds[count] = 0
            count += 1
        numbers[i] = slots[slot]
        bounds[slots[slot]] += 1
    for i in range(1, count):
        bounds[i] += bounds[i - 1]
    return count


@compiled
def post(numbers: I32s, bounds: I32s, postings: I32s) -> None:
    """Write where each gram stands among all grams, in order; `bounds` ends as where each number's postings begin."""
    for i in range(len(numbers) - 1, -1, -1):
        bounds[numbers[i]] -= 1
        postings[bounds[numbers[i]]] = i


@compiled
def known(key: np.uint64, slots: I32s, keys: U64s, sieve: U64s) -> int:
    """The number of a gram whose keys were sifted, or -1."""
    return int(slots[slot_of(key, slots, keys)]) if passes(key, sieve) else -1


@compiled
def looked_up(
    samples: U64s, number: int, words: U64s, offsets: I64s, n: int, part: int, slots: I32s, keys: U64s,
    hits: I64s, count: int,
) -> int:  # fmt: skip
    """Write the known n-grams around a part; returns how many hits there are then.

    `samples[number]` is the part's hash, row, and place among all words.
    """
    row, at = np.int64(samples[number, 1]), np.int64(samples[number, 2])
    start, last = offsets[row], offsets[row + 1] - n
    for place in range(max(start, at - n + part), min(at, last) + 1):
        gram = slots[slot_of(gram_at(words, place, n), slots, keys)]
        if gram >= 0:
            hits[count, 0], hits[count, 1], hits[count, 2] = row, place - start, gram
            count += 1
    return count


@compiled
def find(
    words: U64s, offsets: I64s, n: int, part: int, slots: I32s, keys: U64s, sieve: U64s, samples: U64s, hits: I64s
) -> int:
    """All known n-grams of some rows of words, as (row, word position, gram number); returns how many.

    `sieve` holds all grams of `part` words of the items. `samples`, of shape `(AHEAD, 3)`, is room for parts that wait
    until what the sieve says of them is in the cache.
    """
    count, asked, last = 0, 0, np.uint64(len(sieve) - 1)
    for row in range(len(offsets) - 1):
        at = offsets[row]
        while at < offsets[row + 1] - part + 1:  # a range whose step might be 0 might fail
            key, number = gram_at(words, at, part), asked % AHEAD
            ask_for(sieve, np.int64((key >> HALF) & last))
            if asked >= AHEAD and passes(samples[number, 0], sieve):
                count = looked_up(samples, number, words, offsets, n, part, slots, keys, hits, count)
            samples[number, 0], samples[number, 1], samples[number, 2] = key, np.uint64(row), np.uint64(at)
            asked += 1
            at += n - part + 1
    for waiting in range(max(0, asked - AHEAD), asked):
        if passes(samples[waiting % AHEAD, 0], sieve):
            count = looked_up(samples, waiting % AHEAD, words, offsets, n, part, slots, keys, hits, count)
    return count
