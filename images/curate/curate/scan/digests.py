"""Kernels: 128-bit digests of texts as they stand, and of texts with case and white space folded."""

import numpy as np

from curate.scan.arrays import I64s, U8s, U32s, U64s
from curate.scan.blocks import BLOCK, fold_block, lowest
from curate.scan.bytewise import ONE, decoded, eight, load
from curate.scan.characters import DOT_ABOVE, DOTTED_I, LOWER, SPACE
from curate.scan.compiled import compiled
from curate.scan.words import FACTOR, HALF, SALT, SECOND_FACTOR, mixed

IS_SPACE, LOWER_BITS = np.uint32(SPACE), np.uint32(LOWER)
BLANK = np.uint8(0x20)
SEED, LEFT, RIGHT = np.uint64(0x2545F4914F6CDD1D), np.uint64(29), np.uint64(35)


@compiled
def stirred(one: np.uint64, two: np.uint64, chunk: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Both hashes after eight more bytes."""
    one = (one ^ chunk) * FACTOR
    two = (two + chunk) * SECOND_FACTOR
    return one << LEFT | one >> RIGHT, two ^ two >> HALF


@compiled
def digest_of(data: U8s, start: int, end: int) -> tuple[np.uint64, np.uint64]:
    """The digest of some bytes: two hashes that have nothing in common but the bytes."""
    one, two, at = SALT, SEED, start
    while at + 8 <= end:
        one, two = stirred(one, two, load(data, at))
        at += 8
    if at < end:
        one, two = stirred(one, two, eight(data, at, end))
    length = np.uint64(end - start)
    return mixed(one + length), mixed(two ^ length)


@compiled
def characters_in(data: U8s, start: int, end: int) -> int:
    """How many characters some bytes of UTF-8 are: all but those of the form 10xxxxxx begin one."""
    inner = np.int64(0)
    for at in range(start, end):
        inner += data[at] & 0xC0 == 0x80
    count: int = end - start - inner  # type: ignore[assignment]
    return count


@compiled
def digests_of_all(data: U8s, offsets: I64s, digests: U64s, lengths: I64s) -> None:
    """Digest of each text's bytes, shape `(rows, 2)`, and its length in characters."""
    for row in range(len(offsets) - 1):
        digests[row, 0], digests[row, 1] = digest_of(data, offsets[row], offsets[row + 1])
        lengths[row] = characters_in(data, offsets[row], offsets[row + 1])


@compiled
def put(room: U8s, filled: int, lower: np.uint32) -> int:
    """Append one character: an ASCII one is a byte, others are three of seven bits with the high bit set."""
    if lower < 0x80:
        room[filled] = lower
        return filled + 1
    room[filled] = lower & 0x7F | 0x80
    room[filled + 1] = lower >> 7 & 0x7F | 0x80
    room[filled + 2] = lower >> 14 & 0x7F | 0x80
    return filled + 3


@compiled
def _fold_one(data: U8s, at: int, table: U32s, room: U8s, filled: int) -> tuple[int, int]:
    """Append the character at `at`, white space as a space where none is before it; returns where both go on."""
    point, after = decoded(data, at)
    entry = table[point] if point < len(table) else point
    if entry & IS_SPACE:
        if filled and room[filled - 1] != BLANK:
            room[filled] = BLANK
            filled += 1
        return after, filled
    filled = put(room, filled, entry & LOWER_BITS)
    if point == DOTTED_I:
        filled = put(room, filled, np.uint32(DOT_ABOVE))
    return after, filled


@compiled
def folded(data: U8s, start: int, end: int, table: U32s, room: U8s) -> int:
    """Write a text in lower case with its white space collapsed and stripped into `room`; returns its length.

    Goes by blocks of 64 bytes, of which all is taken up to the first space after a space, or the first byte that is no
    ASCII. `room` must have a block more than the text may take.
    """
    at, filled = start, 0
    while at < end:
        if at + BLOCK > len(data):
            at, filled = _fold_one(data, at, table, room, filled)
            continue
        spaces, high = fold_block(data, at, room, filled)
        before = ONE if not filled or room[filled - 1] == BLANK else np.uint64(0)
        taken = min(lowest(high | spaces & (spaces << ONE | before)), end - at)
        at, filled = at + taken, filled + taken
        if at < end and taken < BLOCK:
            if high >> np.uint64(taken) & ONE:
                at, filled = _fold_one(data, at, table, room, filled)
            else:
                at = min(end, at + lowest(~(spaces >> np.uint64(taken))))
    return filled - 1 if filled and room[filled - 1] == BLANK else filled


@compiled
def folded_digests_of(data: U8s, offsets: I64s, rows: I64s, table: U32s, room: U8s, digests: U64s) -> None:
    """Digest of each of some rows with case and white space folded, shape `(len(rows), 2)`.

    `room` has twice as many bytes as the longest of them, and a block more.
    """
    for number in range(len(rows)):
        row = rows[number]
        length = folded(data, offsets[row], offsets[row + 1], table, room)
        digests[number, 0], digests[number, 1] = digest_of(room, 0, length)
