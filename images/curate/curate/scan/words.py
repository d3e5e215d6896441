"""Kernels: from UTF-8 bytes to hashed words.

A word is hashed eight bytes at a time. Its ASCII characters are one byte each, lowered by setting one bit (which moves
the underscore to a place of its own), other characters three bytes of seven bits each, with the high bit set.
"""

import numpy as np

from curate.scan.arrays import I64s, U8s, U32s, U64s
from curate.scan.bytewise import CASE, HIGH, decoded, eight, first_bytes, leading, word_bytes
from curate.scan.characters import DOTTED_I, LOWER, WORD
from curate.scan.compiled import compiled

FACTOR, SALT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xA0761D6478BD642F)
FIRST_FACTOR, SECOND_FACTOR = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
IS_WORD, LOWER_BITS = np.uint32(WORD), np.uint32(LOWER)
FIRST, SECOND, THIRD, HALF = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
SEVEN_BITS, HIGH_BIT, CASE_BIT = np.uint64(0x7F), np.uint64(0x80), np.uint64(0x20)


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
def words_of(data: U8s, start: int, end: int, table: U32s, out: U64s, filled: int) -> int:
    """Hash the words of one text into `out` from `filled` on; returns how far `out` is filled then."""
    at = start
    while at < end:
        chunk = eight(data, at, end)
        inside = word_bytes(chunk)
        skipped = leading(inside | chunk & HIGH)
        if skipped:
            at += skipped
            continue
        begin, held = at, SALT
        run = leading(~inside & HIGH)
        while run == 8:
            held = absorbed(held, chunk | CASE)
            at += 8
            chunk = eight(data, at, end) if at < end else np.uint64(0)
            inside = word_bytes(chunk)
            run = leading(~inside & HIGH)
        at += run
        if at < end and data[at] >= 0x80:
            held, chunk, length, at = _any_word(data, begin, end, table)
            run = length % 8
            if not length:
                continue
            if run:
                held = absorbed(held, chunk)
            out[filled] = mixed(held + np.uint64(length))
        else:
            if run:
                held = absorbed(held, (chunk | CASE) & first_bytes(np.uint64(run)))
            out[filled] = mixed(held + np.uint64(at - begin))
        filled += 1
    return filled


@compiled
def words_of_all(data: U8s, offsets: I64s, table: U32s, out: U64s, bounds: I64s) -> None:
    """Hash the words of all texts into `out`, one text after another; `bounds` receives where each begins."""
    filled = 0
    bounds[0] = 0
    for row in range(len(offsets) - 1):
        filled = words_of(data, offsets[row], offsets[row + 1], table, out, filled)
        bounds[row + 1] = filled
