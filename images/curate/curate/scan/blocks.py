"""Sixty-four bytes of UTF-8 at a time: what each of them is, as bits of one number, the first byte's lowest."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.cpython.unsafe.numbers import trailing_zeros
from numba.extending import intrinsic

from curate.scan.arrays import U8s
from curate.scan.compiled import compiled

BLOCK = 64
ONE, CASE_BIT = np.uint64(1), 0x20
UNDERSCORE, ZERO, NINE, A, Z = ord("_"), ord("0"), ord("9"), ord("a"), ord("z")


def _word_lanes(builder: ir.IRBuilder, lanes: ir.Value) -> ir.Value:
    """One bit for each byte that is an ASCII letter, digit or underscore."""

    def each(value: int) -> ir.Constant:
        return ir.Constant(lanes.type, [value] * BLOCK)

    lower = builder.sub(builder.or_(lanes, each(CASE_BIT)), each(A))
    letters = builder.icmp_unsigned("<=", lower, each(Z - A))
    digits = builder.icmp_unsigned("<=", builder.sub(lanes, each(ZERO)), each(NINE - ZERO))
    return builder.or_(builder.or_(letters, digits), builder.icmp_unsigned("==", lanes, each(UNDERSCORE)))


@intrinsic  # type: ignore[untyped-decorator]
def _whole(_context: Any, data: Any, at: Any) -> Any:
    """The two numbers of a whole block, by the processor's own comparison of vectors of bytes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = cgutils.gep_inbounds(builder, array.data, arguments[1])
        vector = ir.VectorType(ir.IntType(8), BLOCK)
        lanes = builder.load(builder.bitcast(place, vector.as_pointer()), align=1)
        high = builder.icmp_signed("<", lanes, ir.Constant(vector, [0] * BLOCK))
        bits = [builder.bitcast(found, ir.IntType(64)) for found in (_word_lanes(builder, lanes), high)]
        return context.make_tuple(builder, signature.return_type, bits)

    return types.UniTuple(types.uint64, 2)(data, at), generate


@compiled
def _part(data: U8s, at: int, end: int) -> tuple[np.uint64, np.uint64]:
    """The same of fewer bytes, one by one: beyond them there may be no memory."""
    inside, high = np.uint64(0), np.uint64(0)
    for place in range(at, end):
        byte, bit = data[place], ONE << np.uint64(place - at)
        if byte >= 0x80:
            high |= bit
        elif A <= byte | CASE_BIT <= Z or ZERO <= byte <= NINE or byte == UNDERSCORE:
            inside |= bit
    return inside, high


@compiled
def marks_of(data: U8s, at: int, end: int) -> tuple[np.uint64, np.uint64]:
    """Of the 64 bytes from `at` on: those that are ASCII letters, digits or underscores, and those that are no ASCII.

    Bytes from `end` on are neither.
    """
    if at + BLOCK > len(data):
        return _part(data, at, end)
    inside, high = _whole(data, at)
    if at + BLOCK > end:
        within = (ONE << np.uint64(end - at)) - ONE
        return inside & within, high & within
    return inside, high


@compiled
def lowest(bits: np.uint64) -> int:
    """The place of the lowest bit that is set; 64 where none is."""
    place: int = np.int64(trailing_zeros(bits))  # type: ignore[assignment]
    return place
