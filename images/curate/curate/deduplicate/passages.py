"""Kernel: walk rows best first, find the passages that stand in kept rows, and decide whether the row stays."""

import numpy as np

from curate.deduplicate.windows import FOLLOWS, KEPT, hashes_of, held_by, put
from curate.scan.arrays import I64s, U8s, U64s
from curate.scan.compiled import compiled

START, END, HOLDER, THERE = (
    0,
    1,
    2,
    3,
)  # columns of a row's passages: words in the row, the row that holds it, word there


@compiled
def row_of(bounds: I64s, at: int) -> int:
    """The row that a word belongs to."""
    return int(np.searchsorted(bounds, at, side="right")) - 1


@compiled
def find(
    words: U64s, bounds: I64s, row: int, length: int, opened: U8s, room: U64s, slots: I64s, found: I64s
) -> tuple[int, int]:
    """Write the row's passages into `found`, shape `(words, 4)`; returns how many, and the words they cover."""
    start, end = bounds[row], bounds[row + 1]
    count, covered, until, before, end_before = 0, 0, start, -1, 0
    for at in range(start, end - length + 1):
        place = held_by(words, at, start, before, end_before, length, opened, room, slots)
        if place >= 0:
            if before < 0 or place != before + 1 or place + length > end_before:
                holder = row_of(bounds, place)
                end_before = bounds[holder + 1]
                found[count, START], found[count, HOLDER], found[count, THERE] = at, holder, place
                count += 1
            found[count - 1, END] = at + length
            covered += at + length - max(until, at)
            until = at + length
        before = place
    return count, covered


@compiled
def main_holder(found: I64s, count: int) -> int:
    """The row that holds most words of some passages, the first found of equals."""
    best, most = -1, 0
    for one in range(count):
        total = 0
        for other in range(count):
            if found[other, HOLDER] == found[one, HOLDER]:
                total += found[other, END] - found[other, START]
        if total > most:
            best, most = found[one, HOLDER], total
    return best


@compiled
def added(kept: I64s, total: int, row: int, found: I64s, count: int) -> I64s:
    """Passages with those of one more row; the first `total` are in use."""
    while total + count > len(kept):
        larger = np.empty((2 * len(kept), 5), np.int64)
        larger[:total] = kept[:total]
        kept = larger
    for number in range(count):
        kept[total + number, 0] = row
        kept[total + number, 1:] = found[number]
    return kept


@compiled
def walk(
    words: U64s,
    bounds: I64s,
    order: I64s,
    opened: U8s,
    length: int,
    allowed: I64s,
    settled: U8s,
    follows: I64s,
    slots: I64s,
    partner: I64s,
    covered: I64s,
) -> I64s:
    """Walk rows best first: a row of which kept rows hold more than `allowed` words goes, else its windows are held.

    A row that `follows` a kept one is dropped already. `partner` receives the row that holds most of a dropped one,
    `KEPT` or `FOLLOWS`; `covered` the words that kept rows hold. Returns the passages of all rows: row, first word,
    word after the last, holding row, first word there, shape `(passages, 5)`.
    """
    longest = 0
    for row in range(len(bounds) - 1):
        longest = max(longest, bounds[row + 1] - bounds[row])
    room, found = np.empty(longest + 1, np.uint64), np.empty((longest + 1, 4), np.int64)
    kept, total = np.empty((16, 5), np.int64), 0
    for row in order:
        partner[row], covered[row] = KEPT, 0
        if follows[row] >= 0 and partner[follows[row]] == KEPT:
            partner[row] = FOLLOWS
            continue
        if not hashes_of(words, bounds[row], bounds[row + 1], length, opened, room):
            continue
        count, covered[row] = find(words, bounds, row, length, opened, room, slots, found)
        kept = added(kept, total, row, found, count)
        total += count
        if count and covered[row] > allowed[row] and not settled[row]:
            partner[row] = main_holder(found, count)
        else:
            put(words, bounds[row], bounds[row + 1], length, opened, room, slots)
    return kept[:total]
