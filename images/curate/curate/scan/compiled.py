"""How a kernel is compiled: once per machine, without the interpreter's lock. Whoever imports this
loads numba; `ready.Ready` calls kernels without it."""

import os
from collections.abc import Callable
from typing import TypeVar

from curate.light import light_start
from curate.scan.place import code_folder

# No kernel calls BLAS or C declarations: scipy.linalg and cffi, which numba looks for, take a fifth of a second.
with light_start("scipy.linalg", "cffi"):
    import numba
    from numba import types
    from numba.core import cgutils
    from numba.core.registry import cpu_target
    from numba.cpython.unsafe.numbers import trailing_zeros
    from numba.extending import intrinsic

    cpu_target.target_context.refresh()

__all__ = ["cgutils", "compiled", "intrinsic", "trailing_zeros", "types"]

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function at its first call, and keep the machine code for other processes.

    It is kept in `code_folder`, or where `NUMBA_CACHE_DIR` says.
    """
    kernel: F = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return kernel


if not os.environ.get("NUMBA_CACHE_DIR"):
    numba.config.CACHE_DIR = str(code_folder())
