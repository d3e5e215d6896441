"""How a kernel is compiled: once per machine, without the interpreter's lock. The only module that imports numba."""

import hashlib
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

    It is kept beside the sources, else in the user's cache folder, or where `NUMBA_CACHE_DIR` says. A user without any
    of these (a container run under a foreign id) compiles anew in each process.
    """
    kernel: F = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return kernel


def _place() -> str:
    """A folder for machine code of exactly these sources: numba looks for changes in the file of a kernel only, and
    would go on using code that holds an old version of a function from another one.
    """
    package = Path(__file__).parent.parent
    stats = [(str(path), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in sorted(package.rglob("*.py"))]
    name = f"kernels-{hashlib.sha256(repr(stats).encode()).hexdigest()[:12]}"
    for folder in (package / "__pycache__", Path.home() / ".cache" / "nocturne"):
        try:
            (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder / name, os.W_OK):
            return str(folder / name)
    return _keeper.name


_keeper = tempfile.TemporaryDirectory(prefix="nocturne-kernels-")
if not os.environ.get("NUMBA_CACHE_DIR"):
    numba.config.CACHE_DIR = _place()
