"""Kernels: sets of hashed n-grams, and which values two of them share."""

import numpy as np

from curate.scan.arrays import I64s, U8s, U32s, U64s
from curate.scan.compiled import compiled
from curate.scan.ngrams import ngrams_of
from curate.scan.scratch import FEWEST, Scratch
from curate.scan.words import words_of

NOTHING = np.uint64(0)  # an empty slot of a hash table; a hash of 0 counts as 1


@compiled
def slots_for(slots: U64s, count: int) -> U64s:
    """A hash table for up to `count` values, to be emptied: part of the one given."""
    size = FEWEST
    while size < 2 * count:
        size *= 2
    return slots[:size]


@compiled
def distinct_of(values: U64s, count: int, slots: U64s) -> int:
    """Move the distinct ones of the first `count` values to the front; returns how many they are."""
    slots[:] = NOTHING
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
def shingles_into(data: U8s, start: int, end: int, table: U32s, n: int, scratch: Scratch) -> int:
    """Write the distinct n-grams of one text to `scratch.shingles`; returns how many they are."""
    found = words_of(data, start, end, table, scratch.words, 0)
    count = ngrams_of(scratch.words, 0, found, n, True, scratch.shingles, 0)
    return distinct_of(scratch.shingles, count, slots_for(scratch.slots, count))


@compiled
def sets_of(
    data: U8s, offsets: I64s, rows: I64s, table: U32s, n: int, scratch: Scratch, places: I64s, values: U64s
) -> None:
    """Write the set of n-grams of each of some rows into `values`, from its place on, in order of appearance."""
    for number in range(len(rows)):
        row, place = rows[number], places[number]
        count = shingles_into(data, offsets[row], offsets[row + 1], table, n, scratch)
        for member in range(count):
            values[place + member] = scratch.shingles[member]
