"""An attribute that is computed when it is first asked for."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class Once(Generic[T]):
    """A method as an attribute that keeps its value, for objects that one thread alone has.

    functools.cached_property does that too, but before Python 3.12 it computes for one object of a class at a time, in
    whatever thread, so that batches which are looked at in threads would wait for each other.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owned: None, owner: type) -> "Once[T]": ...
    @overload
    def __get__(self, owned: object, owner: type) -> T: ...
    def __get__(self, owned: object | None, owner: type) -> "Once[T] | T":
        if owned is None:
            return self
        value = owned.__dict__[self._name] = self._compute(owned)  # found before this, from now on
        return value
