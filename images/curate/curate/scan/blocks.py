"""Sixty-four bytes of UTF-8 at a time: what each of them is, as bits of one number, the first byte's lowest."""

from functools import reduce
from typing import Any

import numpy as np
from llvmlite import ir

from curate.scan.arrays import U8s
from curate.scan.compiled import cgutils, compiled, intrinsic, trailing_zeros, types

BLOCK = 64
ONE, CASE_BIT = np.uint64(1), 0x20
UNDERSCORE, ZERO, NINE, A, Z = ord("_"), ord("0"), ord("9"), ord("a"), ord("z")
SPACES = ((0x09, 0x0D), (0x1C, 0x20))
LANES, BITS = ir.VectorType(ir.IntType(8), BLOCK), ir.IntType(64)


def _each(value: int) -> ir.Constant:
    """A vector of one value."""
    return ir.Constant(LANES, [value] * BLOCK)


def _between(builder: ir.IRBuilder, lanes: ir.Value, first: int, last: int) -> ir.Value:
    """One bit for each byte from `first` to `last`."""
    return builder.icmp_unsigned("<=", builder.sub(lanes, _each(first)), _each(last - first))


def _any(builder: ir.IRBuilder, *found: ir.Value) -> ir.Value:
    """One bit where any of some vectors has one."""
    return reduce(builder.or_, found)


def _lanes_at(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value, at: ir.Value) -> ir.Value:
    """Where in memory the bytes of an array from a place on are, as a vector."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(cgutils.gep_inbounds(builder, data, at), LANES.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def _whole(_context: Any, data: Any, at: Any) -> Any:
    """The two numbers of a whole block, by the processor's own comparison of vectors of bytes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = builder.load(_lanes_at(context, builder, signature.args[0], *arguments), align=1)
        letters = _between(builder, builder.or_(lanes, _each(CASE_BIT)), A, Z)
        digits, underscores = (_between(builder, lanes, *ends) for ends in ((ZERO, NINE), (UNDERSCORE, UNDERSCORE)))
        high = builder.icmp_signed("<", lanes, _each(0))
        bits = [builder.bitcast(found, BITS) for found in (_any(builder, letters, digits, underscores), high)]
        return context.make_tuple(builder, signature.return_type, bits)

    return types.UniTuple(types.uint64, 2)(data, at), generate


@intrinsic  # type: ignore[untyped-decorator]
def fold_block(_context: Any, data: Any, at: Any, room: Any, filled: Any) -> Any:
    """Write 64 bytes to `room` in lower case, white space as spaces, of which those that are no ASCII make no sense.

    Returns which were white space (as `str.isspace` has it), and which were no ASCII. Nothing checks that the bytes
    and the room for them are there.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = builder.load(_lanes_at(context, builder, signature.args[0], *arguments[:2]), align=1)
        spaces = _any(builder, *(_between(builder, lanes, *ends) for ends in SPACES))
        capital = _between(builder, lanes, A - CASE_BIT, Z - CASE_BIT)
        lower = builder.select(capital, builder.or_(lanes, _each(CASE_BIT)), lanes)
        place = _lanes_at(context, builder, signature.args[2], *arguments[2:])
        builder.store(builder.select(spaces, _each(0x20), lower), place, align=1)
        high = builder.icmp_signed("<", lanes, _each(0))
        bits = [builder.bitcast(found, BITS) for found in (spaces, high)]
        return context.make_tuple(builder, signature.return_type, bits)

    return types.UniTuple(types.uint64, 2)(data, at, room, filled), generate


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
