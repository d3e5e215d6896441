"""Kernels: the windows of words that two rows share.

A window is a run of `length` words. Which windows can stand twice is found by winnowing (Schleimer, Wilkerson and Aiken
2003): of each run of `length - gram + 1` n-grams the one with the smallest hash is an anchor, so that two equal windows
have an equal anchor, and only about one word in `length / 4` is looked up.
"""

import numpy as np

from curate.scan.arrays import I64s, U8s, U64s
from curate.scan.compiled import compiled
from curate.scan.words import mixed

BASE = np.uint64(0x9E3779B97F4A7C15)
KEPT, FOLLOWS = -1, -2
ONE, THREE, SEVEN = np.uint64(1), np.uint64(3), np.uint64(7)


@compiled
def power(length: int) -> np.uint64:
    """The factor of the word that leaves a window."""
    total = np.uint64(1)
    for _ in range(length):
        total *= BASE
    return total


@compiled
def grams_of(words: U64s, start: int, end: int, gram: int, out: U64s) -> int:
    """Hash the n-grams of one row into `out`, from place 0 on; returns how many there are."""
    leaving, held, count = power(gram), np.uint64(0), 0
    for at in range(start, end):
        held = held * BASE + words[at]
        if at - start >= gram:
            held -= words[at - gram] * leaving
        if at - start >= gram - 1:
            out[count] = mixed(held)
            count += 1
    return count


@compiled
def anchors_of(words: U64s, start: int, end: int, length: int, room: U64s, hashes: U64s, places: I64s) -> int:
    """The anchors of one row: their hashes and the words they begin at; returns how many there are."""
    gram = length // 2
    width = length - gram + 1
    count, least, filled = grams_of(words, start, end, gram, room), -1, 0
    for last in range(width - 1, count):
        first = last - width + 1
        if least < first:
            least = first
            for at in range(first + 1, last + 1):
                if room[at] <= room[least]:
                    least = at
        elif room[last] <= room[least]:
            least = last
        else:
            continue
        hashes[filled], places[filled] = room[least], start + least
        filled += 1
    return filled


@compiled
def anchors_of_all(words: U64s, bounds: I64s, length: int, hashes: U64s, places: I64s, offsets: I64s) -> None:
    """The anchors of all rows; `offsets` receives where each row's begin."""
    longest = 0
    for row in range(len(bounds) - 1):
        longest = max(longest, bounds[row + 1] - bounds[row])
    room, filled = np.empty(longest + 1, np.uint64), 0
    offsets[0] = 0
    for row in range(len(bounds) - 1):
        if bounds[row + 1] - bounds[row] >= length:
            filled += anchors_of(words, bounds[row], bounds[row + 1], length, room, hashes[filled:], places[filled:])
        offsets[row + 1] = filled


@compiled
def note(hashes: U64s, once: U8s, twice: U8s) -> None:
    """Mark each anchor in one set of bits, and in a second one where it was marked already."""
    last = np.uint64(8 * len(once) - 1)
    for number in range(len(hashes)):
        place = (hashes[number] & last) >> THREE
        bit = np.uint8(ONE << (hashes[number] & SEVEN))
        if once[place] & bit:
            twice[place] |= bit
        once[place] |= bit


@compiled
def open_windows(
    hashes: U64s, places: I64s, offsets: I64s, bounds: I64s, length: int, twice: U8s, opened: U8s, some: U8s
) -> None:
    """Mark the words at which a window with a repeated anchor begins, and the rows that have one."""
    last, reach = np.uint64(8 * len(twice) - 1), length - length // 2
    for row in range(len(offsets) - 1):
        for number in range(offsets[row], offsets[row + 1]):
            bit = np.uint8(ONE << (hashes[number] & SEVEN))
            if not twice[(hashes[number] & last) >> THREE] & bit:
                continue
            some[row] = 1
            begin = max(bounds[row], places[number] - reach)
            for at in range(begin, min(places[number], bounds[row + 1] - length) + 1):
                opened[at] = 1


@compiled
def equal(words: U64s, one: int, other: int, length: int) -> bool:
    """Whether two windows have the same words."""
    same = 0
    while same < length and words[one + same] == words[other + same]:
        same += 1
    return same == length


@compiled
def slot_of(words: U64s, at: int, length: int, value: np.uint64, slots: I64s) -> np.uint64:
    """Where the window at `at` is in the table, or would be."""
    last = np.uint64(len(slots) - 1)
    slot = value & last
    while slots[slot] >= 0 and not equal(words, slots[slot], at, length):
        slot = slot + ONE & last
    return slot


@compiled
def hashes_of(words: U64s, start: int, end: int, length: int, opened: U8s, room: U64s) -> bool:
    """Hash the windows of one row into `room`; False where none of them is open."""
    found = False
    for at in range(start, end):
        found |= opened[at] != 0
    if found:
        grams_of(words, start, end, length, room)
    return found


@compiled
def put(words: U64s, start: int, end: int, length: int, opened: U8s, room: U64s, slots: I64s) -> None:
    """Enter the open windows of a kept row that are not in the table yet."""
    for at in range(start, end - length + 1):
        if opened[at]:
            slot = slot_of(words, at, length, room[at - start], slots)
            if slots[slot] < 0:
                slots[slot] = at


@compiled
def held_by(
    words: U64s, at: int, start: int, before: int, end_before: int, length: int, opened: U8s, room: U64s, slots: I64s
) -> int:
    """Where the window at `at` stands in a kept row, or -1; first beside where the window before it stands."""
    if before >= 0 and before + 1 + length <= end_before and words[before + length] == words[at + length - 1]:
        return before + 1
    return slots[slot_of(words, at, length, room[at - start], slots)] if opened[at] else -1
