"""Machine code that stands alone, from a kernel: numba compiles it, LLVM strips it of all that leads to Python."""

from collections.abc import Callable, Iterator
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba.np.arrayobj import populate_array

from curate.scan.compiled import intrinsic, types
from curate.scan.ready import SYMBOL, Kinds

BEST = 3  # level of optimisation
WORD = ir.IntType(64)
NUMBERS = {"i": types.int64, "f": types.float64}


def forged(kernel: Any, kinds: Kinds) -> bytes | None:
    """An object file with one function, `SYMBOL`: it takes the address of the arguments, each in 64 bits, and returns
    what the kernel does, or 0. None where a failure or an array may come of the kernel: both need Python.
    """
    module = llvm.parse_assembly(_compiled(kernel, kinds))
    machine = llvm.Target.from_default_triple().create_target_machine(
        llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), BEST, "pic", "jitdefault", jit=True
    )
    _strip(module, machine)
    needed = [function.name for function in module.functions if function.is_declaration]
    return machine.emit_object(module) if all(name.startswith("llvm.") for name in needed) else None


def _compiled(kernel: Any, kinds: Kinds) -> str:
    """LLVM's text of a function with the kernel and all that it calls."""
    given = _unpacker(types.BaseTuple.from_types([_type(kind) for kind in kinds]))
    returns = kernel.py_func.__annotations__["return"] is not None

    def value(place: Any) -> Any:
        return kernel(*given(place))

    def nothing(place: Any) -> Any:
        kernel(*given(place))
        return 0

    callback = numba.cfunc(types.int64(types.CPointer(types.int64)), error_model="numpy")(value if returns else nothing)
    text: str = callback.inspect_llvm()
    return text.replace(f'"{callback.native_name}"', f'"{SYMBOL}"').replace(f"@{callback.native_name}(", f"@{SYMBOL}(")


def _strip(module: Any, machine: Any) -> None:
    """Only the entry can be called from outside: so LLVM sees that no function fails and that nobody counts references,
    and drops what would be done if they did."""
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name != SYMBOL:
            value.linkage = "internal"
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(BEST))
    builder.getModulePassManager().run(module, builder)


def _type(kind: Any) -> Any:
    if isinstance(kind, str):
        return NUMBERS[kind]
    if isinstance(kind[0], str):
        dtype, dimensions, writable = kind
        return types.Array(numba.from_dtype(np.dtype(dtype)), dimensions, "C", readonly=not writable)
    return types.BaseTuple.from_types([_type(part) for part in kind[1]], kind[0])


def _unpacker(whole: Any) -> Callable[..., Any]:
    """A function for kernels: the arguments that stand, one number after another, at some place."""

    @intrinsic  # type: ignore[untyped-decorator]
    def given(_context: Any, place: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return _value(context, builder, whole, _words(builder, arguments[0]))

        return whole(place), generate

    return given  # type: ignore[no-any-return]


def _words(builder: ir.IRBuilder, place: ir.Value) -> Iterator[ir.Value]:
    number = 0
    while True:
        yield builder.load(builder.gep(place, [ir.Constant(WORD, number)]))
        number += 1


def _value(context: Any, builder: Any, kind: Any, words: Iterator[ir.Value]) -> Any:
    """One argument, from as many words as it takes."""
    if isinstance(kind, types.BaseTuple):
        return context.make_tuple(builder, kind, [_value(context, builder, part, words) for part in kind.types])
    if not isinstance(kind, types.Array):
        return builder.bitcast(next(words), context.get_value_type(kind))
    array = context.make_array(kind)(context, builder)
    data, shape = builder.inttoptr(next(words), array.data.type), [next(words) for _ in range(kind.ndim)]
    size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [size]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=size, meminfo=None)
    return array._getvalue()
