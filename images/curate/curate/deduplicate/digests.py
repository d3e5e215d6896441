"""Kernels: rows looked up by their digests of 128 bits, shape `(rows, 2)`."""

import numpy as np

from curate.scan.arrays import I64s, U8s, U64s
from curate.scan.compiled import compiled


@compiled
def slot_of(one: np.uint64, two: np.uint64, digests: U64s, places: I64s) -> np.uint64:
    """Where a digest is in a hash table of row numbers, or the empty slot where it would be."""
    last = np.uint64(len(places) - 1)
    slot = one & last
    while places[slot] >= 0 and (digests[places[slot], 0] != one or digests[places[slot], 1] != two):
        slot = slot + np.uint64(1) & last
    return slot


@compiled
def first_of(digests: U64s, order: I64s, alone: U8s, places: I64s, first: I64s) -> None:
    """For each row in an order of rows the first row with the same digest; rows marked `alone` share none.

    `places` is an empty hash table.
    """
    for number in range(len(order)):
        row = order[number]
        first[number] = row
        if alone[row]:
            continue
        slot = slot_of(digests[row, 0], digests[row, 1], digests, places)
        if places[slot] < 0:
            places[slot] = row
        first[number] = places[slot]


@compiled
def index_of(digests: U64s, rows: I64s, places: I64s) -> None:
    """Enter some rows into an empty hash table by their digests; of equal ones the first."""
    for row in rows:
        slot = slot_of(digests[row, 0], digests[row, 1], digests, places)
        if places[slot] < 0:
            places[slot] = row


@compiled
def find(wanted: U64s, digests: U64s, places: I64s, found: I64s) -> None:
    """The row of each wanted digest, or -1."""
    for number in range(len(wanted)):
        found[number] = places[slot_of(wanted[number, 0], wanted[number, 1], digests, places)]
