"""Eight bytes of UTF-8 at a time, and one character where that is not enough."""

from typing import Any

import numpy as np

from curate.scan.arrays import U8s
from curate.scan.compiled import cgutils, compiled, intrinsic, trailing_zeros, types

U64 = np.uint64
HIGH = U64(0x8080808080808080)
SEVEN = U64(0x7F7F7F7F7F7F7F7F)
CASE = U64(0x2020202020202020)
FROM_LETTER, PAST_LETTER = U64(0x1F1F1F1F1F1F1F1F), U64(0x0505050505050505)  # 128 - ord("a"), 128 - ord("z") - 1
FROM_DIGIT, PAST_DIGIT = U64(0x5050505050505050), U64(0x4646464646464646)
UNDERSCORES = U64(0x5F5F5F5F5F5F5F5F)
EIGHT, THREE, ONE = U64(8), U64(3), U64(1)


@intrinsic  # type: ignore[untyped-decorator]
def load(_context: Any, data: Any, at: Any) -> Any:
    """Eight bytes of an array of bytes as one number, whatever their alignment; nothing checks that they are there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = cgutils.gep_inbounds(builder, array.data, arguments[1])
        return builder.load(builder.bitcast(place, context.get_value_type(types.uint64).as_pointer()), align=1)

    return types.uint64(data, at), generate


@compiled
def eight(data: U8s, at: int, end: int) -> np.uint64:
    """The bytes from `at` on, the first one lowest; zeros from `end` on."""
    if at + 8 <= len(data):
        chunk: np.uint64 = load(data, at)
        return chunk if at + 8 <= end else chunk & first_bytes(U64(end - at))
    chunk = U64(0)
    for position in range(at, end):
        chunk |= U64(data[position]) << U64(8 * (position - at))
    return chunk


@compiled
def first_bytes(count: np.uint64) -> np.uint64:
    """A mask of the first `count` bytes, of 0 to 7."""
    return (ONE << (count * EIGHT)) - ONE


@compiled
def word_bytes(chunk: np.uint64) -> np.uint64:
    """The high bit of each byte that is an ASCII letter, digit or underscore."""
    plain = chunk & SEVEN
    lower = plain | CASE
    letters = (lower + FROM_LETTER) & ~(lower + PAST_LETTER)
    digits = (plain + FROM_DIGIT) & ~(plain + PAST_DIGIT)
    underscores = HIGH - (plain ^ UNDERSCORES)
    return (letters | digits | underscores) & ~chunk & HIGH


@compiled
def leading(mask: np.uint64) -> int:
    """How many bytes come before the first one whose high bit is set; 8 where none is."""
    count: int = np.int64(trailing_zeros(mask) >> THREE)  # type: ignore[assignment]
    return count


@compiled
def decoded(data: U8s, at: int) -> tuple[np.uint32, int]:
    """The code point that begins at a byte, and where the next one begins."""
    lead = np.uint32(data[at])
    if lead < 0x80:
        return lead, at + 1
    second = np.uint32(data[at + 1] & 0x3F)
    if lead < 0xE0:
        return np.uint32((lead & 0x1F) << 6 | second), at + 2
    third = np.uint32(data[at + 2] & 0x3F)
    if lead < 0xF0:
        return np.uint32((lead & 0x0F) << 12 | second << 6 | third), at + 3
    return np.uint32((lead & 0x07) << 18 | second << 12 | third << 6 | np.uint32(data[at + 3] & 0x3F)), at + 4
