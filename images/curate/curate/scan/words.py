"""Kernels: from UTF-8 bytes to hashed words.

Words are found in blocks of 64 bytes and hashed eight bytes at a time. Their ASCII characters are one byte each,
lowered by setting one bit (which moves the underscore to a place of its own), other characters three bytes of seven
bits each, with the high bit set.
"""

import numpy as np

from curate.scan.arrays import I64s, U8s, U32s, U64s
from curate.scan.blocks import BLOCK, lowest, marks_of
from curate.scan.bytewise import CASE, HIGH, ONE, decoded, eight, leading, load, word_bytes
from curate.scan.characters import DOTTED_I, LOWER, WORD
from curate.scan.compiled import compiled

FACTOR, SALT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xA0761D6478BD642F)
FIRST_FACTOR, SECOND_FACTOR = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
IS_WORD, LOWER_BITS = np.uint32(WORD), np.uint32(LOWER)
FIRST, SECOND, THIRD, HALF = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
SEVEN_BITS, HIGH_BIT, CASE_BIT = np.uint64(0x7F), np.uint64(0x80), np.uint64(0x20)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@compiled
def mixed(value: np.uint64) -> np.uint64:
    """Spread a value over all 64 bits (the finaliser of SplitMix64)."""
    value = (value ^ (value >> FIRST)) * FIRST_FACTOR
    value = (value ^ (value >> SECOND)) * SECOND_FACTOR
    return value ^ (value >> THIRD)


@compiled
def absorbed(held: np.uint64, chunk: np.uint64) -> np.uint64:
    """A hash after eight more bytes."""
    held = (held ^ chunk) * FACTOR
    return held ^ (held >> HALF)


@compiled
def _any_word(data: U8s, at: int, end: int, table: U32s) -> tuple[np.uint64, np.uint64, int, int]:
    """Hash of the word that begins at `at`, its length in bytes (0 where no word begins) and where to go on."""
    held, chunk, length = SALT, np.uint64(0), 0
    while at < end:
        point, after = decoded(data, at)
        entry = table[point] if point < len(table) else np.uint32(0)
        if not entry & IS_WORD:
            return held, chunk, length, (at if length else after)
        lower, at = np.uint64(entry & LOWER_BITS), after
        count = 1 if lower < 0x80 else 3
        for position in range(count):
            byte = lower | CASE_BIT if count == 1 else (lower >> np.uint64(7 * position)) & SEVEN_BITS | HIGH_BIT
            chunk |= byte << np.uint64(8 * (length % 8))
            length += 1
            if length % 8 == 0:
                held, chunk = absorbed(held, chunk), np.uint64(0)
        if point == DOTTED_I:
            break
    return held, chunk, length, at


@compiled
def _mixed_word(data: U8s, at: int, end: int, table: U32s, out: U64s, filled: int) -> tuple[int, int]:
    """Hash the word at `at`, whatever its characters; returns how far `out` is filled then and where to go on."""
    held, chunk, length, after = _any_word(data, at, end, table)
    if not length:
        return filled, after
    if length % 8:
        held = absorbed(held, chunk)
    out[filled] = mixed(held + np.uint64(length))
    return filled + 1, after


@compiled
def _ascii_word(data: U8s, at: int, length: int) -> np.uint64:
    """Hash of a word of ASCII characters; eight bytes from its last one on are read, so they have to be there."""
    held, left = SALT, length
    while left > 8:
        held = absorbed(held, load(data, at) | CASE)
        at += 8
        left -= 8
    return mixed(absorbed(held, (load(data, at) | CASE) & ALL >> np.uint64(8 * (8 - left))) + np.uint64(length))


@compiled
def _last_word(data: U8s, at: int, length: int) -> np.uint64:
    """The same where the bytes may end with the word."""
    held, stop = SALT, at + length
    while at < stop:
        held = absorbed(held, (eight(data, at, stop) | CASE) & ALL >> np.uint64(8 * max(0, 8 - (stop - at))))
        at += 8
    return mixed(held + np.uint64(length))


@compiled
def _long_word(data: U8s, at: int, end: int, table: U32s, out: U64s, filled: int) -> tuple[int, int]:
    """Hash the word at `at` that fills its block and may go on beyond."""
    after = at + BLOCK
    while after < end:
        run = leading(~word_bytes(eight(data, after, end)) & HIGH)
        after += run
        if run < 8:
            break
    if after < end and data[after] >= 0x80:
        return _mixed_word(data, at, end, table, out, filled)
    out[filled] = _last_word(data, at, after - at)
    return filled + 1, after


@compiled
def words_of(data: U8s, start: int, end: int, table: U32s, out: U64s, filled: int) -> int:
    """Hash the words of one text into `out` from `filled` on; returns how far `out` is filled then.

    Goes by blocks of 64 bytes; a word that is cut by a block's end, or that is not all ASCII, begins the next one.
    """
    at = start
    while at < end:
        inside, high = marks_of(data, at, end)
        waiting, after, roomy = inside | high, at + BLOCK, at + BLOCK + 8 <= len(data)
        while waiting:
            first = lowest(waiting)
            stop = first + lowest(~(inside >> np.uint64(first)))
            if stop >= BLOCK:
                after = at + first
                if not first:
                    filled, after = _long_word(data, at, end, table, out, filled)
                break
            if high >> np.uint64(stop) & ONE:
                filled, after = _mixed_word(data, at + first, end, table, out, filled)
                break
            place, length = at + first, stop - first
            out[filled] = _ascii_word(data, place, length) if roomy else _last_word(data, place, length)
            filled += 1
            waiting = waiting >> np.uint64(stop) << np.uint64(stop)
        at = after
    return filled


@compiled
def words_of_all(data: U8s, offsets: I64s, table: U32s, out: U64s, bounds: I64s) -> None:
    """Hash the words of all texts into `out`, one text after another; `bounds` receives where each begins."""
    filled = 0
    bounds[0] = 0
    for row in range(len(offsets) - 1):
        filled = words_of(data, offsets[row], offsets[row + 1], table, out, filled)
        bounds[row + 1] = filled
