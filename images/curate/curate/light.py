"""A light start for a large library: what it looks for in vain here, and what Python's collector would do meanwhile."""

import atexit
import gc
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Absent(MetaPathFinder):
    """Answers one thread that some modules are not installed; other threads find them as ever."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names, self._thread = names, threading.get_ident()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if name in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{name} is left out of this start", name=name)
        return None


@contextmanager
def light_start(*absent: str) -> Iterator[None]:
    """Import a library within this: of optional modules, those named are not found, unless they are loaded already.

    A hundred thousand objects that live as long as the process are not searched for garbage while they are made, nor
    when the process ends, which would take as long as the imports themselves.
    """
    finder, collecting = _Absent(absent), gc.isenabled()
    gc.disable()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if collecting:
            gc.enable()
    atexit.register(gc.freeze)
