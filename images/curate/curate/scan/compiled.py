"""How a kernel is compiled: once per machine, without the interpreter's lock. The only module that imports numba."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from curate.light import light_start

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

    It is kept beside the source, else in the user's cache folder, or where `NUMBA_CACHE_DIR` says. A user without any
    of these (a container run under a foreign id) compiles anew in each process.
    """
    kernel: F = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return kernel


def _has_a_place() -> bool:
    home = os.path.expanduser("~")
    return any(os.access(folder, os.W_OK) for folder in (Path(__file__).parent, f"{home}/.cache", home))


if not os.environ.get("NUMBA_CACHE_DIR") and not _has_a_place():
    _keeper = tempfile.TemporaryDirectory(prefix="nocturne-kernels-")
    numba.config.CACHE_DIR = _keeper.name
