"""Kernels ready to call: machine code that an earlier process compiled, for whose loading no compiler is needed.

numba takes a quarter of a second to import, LLVM, which links the code, a tenth of that: `ready` kernels are for stages
that are done with a hundred thousand rows in less. Modules with kernels import numba, so whoever means to start without
it names a kernel instead of importing it.
"""

import ctypes
import hashlib
import importlib
import os
import struct
import threading
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from curate.scan.place import code_folder

Argument: TypeAlias = Any
"""An array in C order, a number, or a named tuple of these."""
Kinds: TypeAlias = tuple[Any, ...]
"""What code was made for, by argument: `i` is a whole number, `f` another one, `(dtype, dimensions, writable)` an
array, and `(class, kinds)` a named tuple."""
SYMBOL = "entry"
_loading, _counter = threading.RLock(), count()


class Ready:
    """The kernel of some name in some module. It is called like itself, and returns 0 instead of nothing.

    Machine code is kept in `code_folder`, for each kind of arguments. Where there is none, numba compiles the kernel,
    and does the work too if the code cannot stand alone: if it makes arrays, or may raise.
    """

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name
        self._codes: dict[Kinds, Callable[..., int]] = {}

    def __call__(self, *arguments: Argument) -> int:
        """Run the kernel, without the interpreter's lock. Raises `TypeError` for an argument of another kind."""
        kinds = kinds_of(arguments)
        code = self._codes.get(kinds)
        if code is None:
            with _loading:
                code = self._codes[kinds] = self._codes.get(kinds) or self._code(kinds)
        return code(*arguments)

    @property
    def kernel(self) -> Callable[..., Any]:
        """The kernel itself; imports numba."""
        kernel: Callable[..., Any] = getattr(importlib.import_module(self.module), self.name)
        return kernel

    def _code(self, kinds: Kinds) -> Callable[..., int]:
        path = code_folder() / f"{self.module}.{self.name}-{_fingerprint(kinds)}.o"
        if (ready := _kept(path)) is not None:
            return ready
        from curate.scan.forge import forged

        code = forged(self.kernel, kinds)
        if code is None:
            return lambda *arguments: self.kernel(*arguments) or 0
        _keep(path, code)
        return _linked(code)


def kinds_of(arguments: tuple[Argument, ...]) -> Kinds:
    """The kinds of some arguments. Raises `TypeError` for one that no machine code is made for."""
    return tuple(_kind(argument) for argument in arguments)


def _kind(argument: Argument) -> Any:
    if isinstance(argument, np.ndarray) and argument.flags.c_contiguous and argument.flags.aligned:
        return argument.dtype.str, argument.ndim, argument.flags.writeable
    if isinstance(argument, int | np.signedinteger):
        return "i"
    if isinstance(argument, float):
        return "f"
    if isinstance(argument, tuple) and hasattr(argument, "_fields"):
        return type(argument), kinds_of(argument)
    raise TypeError(f"a kernel takes no {type(argument).__name__} of this form: {argument!r:.80}")


def _numbers(arguments: tuple[Argument, ...]) -> Iterator[int]:
    """Arguments as the code takes them: of an array its address and its shape."""
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            yield argument.ctypes.data
            yield from argument.shape
        elif isinstance(argument, tuple):
            yield from _numbers(argument)
        elif isinstance(argument, float):
            yield _bits(argument)
        else:
            yield int(argument)


def _bits(number: float) -> int:
    bits: int = struct.unpack("<q", struct.pack("<d", number))[0]
    return bits


@cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def _linker() -> Any:
    return _llvm().create_lljit_compiler()


def _fingerprint(kinds: Kinds) -> str:
    """Code is for these kinds, this processor and this LLVM; each numba goes with one release of llvmlite."""
    from llvmlite import __version__

    llvm = _llvm()
    made_for = (kinds, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), __version__)
    return hashlib.sha256(repr(made_for).encode()).hexdigest()[:16]


def _kept(path: Path) -> Callable[..., int] | None:
    """What an earlier process kept; None where that is nothing, or damaged."""
    try:
        return _linked(path.read_bytes())
    except (OSError, RuntimeError):
        return None


def _keep(path: Path, code: bytes) -> None:
    """Keep code for other processes, whole or not at all; a folder that is full or gone costs them time only."""
    mine = path.with_suffix(f".{os.getpid()}")
    try:
        mine.write_bytes(code)
        mine.replace(path)
    except OSError:
        mine.unlink(missing_ok=True)


def _linked(code: bytes) -> Callable[..., int]:
    """Machine code as a function. Raises `RuntimeError` for bytes that are none."""
    builder = _llvm().JITLibraryBuilder().add_object_img(code).add_current_process().export_symbol(SYMBOL)
    library = builder.link(_linker(), f"code-{next(_counter)}")
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(library[SYMBOL])

    def call(*arguments: Argument) -> int:
        numbers = tuple(_numbers(arguments))
        result: int = function(ctypes.byref((ctypes.c_int64 * len(numbers))(*numbers)))
        return result

    call.library = library  # type: ignore[attr-defined]  # the code lives as long as its library does
    return call
