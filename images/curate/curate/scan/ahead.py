"""Memory asked for before it is needed: a load that misses the cache takes as long as hundreds of instructions."""

from typing import Any

from llvmlite import ir

from curate.scan.compiled import cgutils, intrinsic, types

READ, KEEP, DATA = (ir.Constant(ir.IntType(32), value) for value in (0, 3, 1))


@intrinsic  # type: ignore[untyped-decorator]
def ask_for(_context: Any, array: Any, at: Any) -> Any:
    """Ask for an array's value at a place, to be read soon. Nothing checks that the place is in the array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(cgutils.gep_inbounds(builder, data, arguments[1]), cgutils.voidptr_t)
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], PREFETCH)
        builder.call(prefetch, [place, READ, KEEP, DATA])
        return context.get_dummy_value()

    return types.void(array, at), generate


PREFETCH = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, *[ir.IntType(32)] * 3])
