"""How a kernel is compiled: once per machine, without the interpreter's lock."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numba
from numba.core.registry import cpu_target

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


def _start_lightly() -> None:
    """Make numba ready without BLAS and C declarations, which no kernel here uses: scipy.linalg and cffi, which it
    looks for, take a fifth of a second to import."""
    absent = {name: None for name in ("scipy.linalg", "cffi") if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type]
    try:
        cpu_target.target_context.refresh()
    finally:
        for name in absent:
            del sys.modules[name]


_start_lightly()
if not os.environ.get("NUMBA_CACHE_DIR") and not _has_a_place():
    _keeper = tempfile.TemporaryDirectory(prefix="nocturne-kernels-")
    numba.config.CACHE_DIR = _keeper.name
