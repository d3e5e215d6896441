"""Kernels: sets of hashed n-grams, and which values two of them share."""

import numpy as np

from curate.scan.arrays import I64s, U8s, U32s, U64s
from curate.scan.compiled import compiled
from curate.scan.ngrams import ngrams_of
from curate.scan.words import words_of

NOTHING = np.uint64(0)  # an empty slot of a hash table; a hash of 0 counts as 1


@compiled
def slots_for(slots: U64s, count: int) -> U64s:
    """An empty hash table for up to `count` values: part of the one given, or a larger one."""
    size = 16
    while size < 2 * count:
        size *= 2
    if size > len(slots):
        slots = np.empty(size, np.uint64)
    slots[:size] = NOTHING
    return slots[:size]


@compiled
def distinct_of(values: U64s, count: int, slots: U64s) -> int:
    """Move the distinct ones of the first `count` values to the front; returns how many they are."""
    last, kept = np.uint64(len(slots) - 1), 0
    for number in range(count):
        value = max(values[number], np.uint64(1))
        slot = value & last
        while slots[slot] != NOTHING and slots[slot] != value:
            slot = slot + np.uint64(1) & last
        if slots[slot] == NOTHING:
            slots[slot] = value
            values[kept] = value
            kept += 1
    return kept


@compiled
def longest_of(offsets: I64s, rows: I64s) -> int:
    """Bytes of the longest of some texts."""
    longest = 0
    for number in range(len(rows)):
        longest = max(longest, offsets[rows[number] + 1] - offsets[rows[number]])
    return longest


@compiled
def shingles_into(
    data: U8s, start: int, end: int, table: U32s, n: int, words: U64s, shingles: U64s, slots: U64s
) -> tuple[int, U64s]:
    """Write the distinct n-grams of one text to `shingles`; returns how many they are, and the larger hash table."""
    count = ngrams_of(words, 0, words_of(data, start, end, table, words, 0), n, True, shingles, 0)
    used = slots_for(slots, count)
    return distinct_of(shingles, count, used), used if len(used) > len(slots) else slots


@compiled
def sets_of(data: U8s, offsets: I64s, rows: I64s, table: U32s, n: int, places: I64s, values: U64s) -> None:
    """Write the set of n-grams of each of some rows into `values`, from its place on, in order of appearance."""
    room = longest_of(offsets, rows) // 2 + 1
    words, shingles, slots = np.empty(room, np.uint64), np.empty(room, np.uint64), np.empty(16, np.uint64)
    for number in range(len(rows)):
        row, place = rows[number], places[number]
        count, slots = shingles_into(data, offsets[row], offsets[row + 1], table, n, words, shingles, slots)
        values[place : place + count] = shingles[:count]
