"""Kernels that spot word sequences of a list in texts: a hash of the last words at each word, looked up in a table."""

from typing import NamedTuple

import numpy as np

from curate.filter.folding import FOLDED, MARKED, SEVERAL, WORD, Folding
from curate.scan.arrays import I64s, U8s, U32s, U64s
from curate.scan.bytewise import decoded
from curate.scan.compiled import compiled
from curate.scan.words import mixed

LONGEST = 64  # words of a phrase that are looked up, its last ones; the rest is left to whoever verifies the hit
FACTOR = np.uint64(0x9E3779B97F4A7C15)
FILTER_BITS = 16
ONE, SPACE = np.uint64(1), 32


class Index(NamedTuple):
    """Which hashes of word sequences are wanted.

    `lengths[h]` has a bit for each length of a phrase whose last word hashes to `h` (its top bits); `keys` is a hash
    table of whole sequences, `phrases` the number of the phrase in each slot. `text` and `offsets` are the phrases,
    folded; `plain` says which are `LONGEST` words or fewer, and single spaces.
    """

    lengths: U64s
    keys: U64s
    phrases: I64s
    text: U8s
    offsets: I64s
    plain: U8s


class Ring(NamedTuple):
    """The last 64 words: their hashes, and where each begins."""

    hashes: U64s
    begins: I64s


def new_ring() -> Ring:
    """An empty ring."""
    return Ring(np.zeros(LONGEST, np.uint64), np.zeros(LONGEST, np.int64))


@compiled
def next_word(data: U8s, at: int, end: int, folding: Folding) -> tuple[np.uint64, int, int, bool]:
    """The next word from `at` on: its hash (0 where there is none), begin, end, and whether a mark was passed."""
    table, expansions = folding.table, folding.expansions
    held, begin, passed, inside = np.uint64(0), at, False, False
    while at < end:
        point, after = (np.uint32(data[at]), at + 1) if data[at] < 0x80 else decoded(data, at)
        entry = table[point]
        passed = passed or entry & MARKED != 0
        part = 0
        if entry & SEVERAL:
            row = entry & FOLDED
            while expansions[row, part] & WORD and expansions[row, part + 1]:
                held = (held ^ np.uint64(expansions[row, part] & FOLDED)) * FACTOR
                part += 1
            entry = expansions[row, part]
        if not inside and (part or entry & WORD):
            begin, inside = at, True
        if entry & WORD:
            held = (held ^ np.uint64(entry & FOLDED)) * FACTOR
        elif inside:
            return mixed(held) | ONE, begin, (after if part else at), passed
        at = after
    return (mixed(held) | ONE if inside else np.uint64(0)), begin, at, passed


@compiled
def _sequence(hashes: U64s, last: int, length: int) -> np.uint64:
    """The hash of some words that end with word number `last`; `hashes` is a ring's."""
    key = np.uint64(length)
    for word in range(last - length + 1, last + 1):
        key = mixed(key + hashes[word & (LONGEST - 1)])
    return key | ONE


@compiled
def _slot(keys: U64s, key: np.uint64) -> int:
    mask = len(keys) - 1
    slot = np.int64(key >> np.uint64(8)) & mask
    while keys[slot] != np.uint64(0) and keys[slot] != key:
        slot = (slot + 1) & mask
    return int(slot)


@compiled
def learn(folding: Folding, ring: Ring, index: Index) -> None:
    """Enter phrases into an empty index; of phrases with the same words the first one stays."""
    data, offsets = index.text, index.offsets
    for phrase in range(len(offsets) - 1):
        count, at, end = 0, offsets[phrase], offsets[phrase + 1]
        while at < end:
            word, _, at, _ = next_word(data, at, end, folding)
            if word:
                ring.hashes[count % LONGEST] = word
                count += 1
        if count:
            length = min(count, LONGEST)
            last = ring.hashes[(count - 1) % LONGEST]
            index.lengths[last >> np.uint64(64 - FILTER_BITS)] |= ONE << np.uint64(length - 1)
            key = _sequence(ring.hashes, count - 1, length)
            slot = _slot(index.keys, key)
            if index.keys[slot] == np.uint64(0):
                index.keys[slot], index.phrases[slot] = key, phrase


@compiled
def _ends_here(hashes: U64s, keys: U64s, lengths: np.uint64, last: int) -> tuple[int, int]:
    """The slot of a phrase that ends with word number `last`, and its length in words; -1 where none does."""
    length = 1
    while lengths and length <= last + 1:
        if lengths & ONE:
            slot = _slot(keys, _sequence(hashes, last, length))
            if keys[slot]:
                return slot, length
        lengths >>= ONE
        length += 1
    return -1, 0


@compiled
def _is_there(data: U8s, begin: int, end: int, index: Index, phrase: int, table: U32s) -> int:
    """The phrase, if its words are those here, else -1; -2 for characters beyond ASCII or a phrase with marks."""
    place, stop, other = index.offsets[phrase], index.offsets[phrase + 1], index.text
    if not index.plain[phrase]:
        return -2
    for at in range(begin, end):
        if data[at] >= 0x80:
            return -2
        entry = table[data[at]]
        if entry & WORD:
            place += place < stop and other[place] == SPACE
            if place == stop or other[place] != entry & FOLDED:
                return -1
            place += 1
    return phrase if place == stop else -1


@compiled
def _past_ascii(data: U8s, at: int, end: int, table: U32s) -> tuple[np.uint64, int]:
    """The unfinished hash of the ASCII letters, digits and underscores from `at` on, and where they end."""
    held = np.uint64(0)
    while at < end and data[at] < 0x80:
        entry = table[data[at]]
        if not entry & WORD:
            break
        held = (held ^ np.uint64(entry & FOLDED)) * FACTOR
        at += 1
    return held, at


@compiled
def spot(data: U8s, offsets: I64s, folding: Folding, ring: Ring, index: Index, hits: I64s) -> None:
    """For each text the number of the first phrase in it, -1 where there is none, or -2 where somebody has to look:
    at a phrase that words alone do not prove, at words beyond ASCII, or where a mark was passed."""
    table, lengths, hashes, begins, keys = folding.table, index.lengths, ring.hashes, ring.begins, index.keys
    for row in range(len(offsets) - 1):
        hit, count, at, end = -1, 0, offsets[row], offsets[row + 1]
        while at < end and hit == -1:
            begin = at
            word, at = _past_ascii(data, begin, end, table)
            if at < end and (data[at] >= 0x80 or table[data[at]] & MARKED):
                word, begin, at, passed = next_word(data, begin, end, folding)
                hit = -2 if passed else -1
            elif at > begin:
                word = mixed(word) | ONE
            at += at == begin
            if word and hit == -1:
                hashes[count & (LONGEST - 1)], begins[count & (LONGEST - 1)] = word, begin
                wanted = lengths[word >> np.uint64(64 - FILTER_BITS)]
                slot, length = _ends_here(hashes, keys, wanted, count) if wanted else (-1, 0)
                if slot >= 0:
                    first = begins[(count - length + 1) & (LONGEST - 1)]
                    hit = _is_there(data, first, at, index, index.phrases[slot], table)
                count += 1
        hits[row] = hit
