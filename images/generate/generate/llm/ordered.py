"""Many things at once, results in order, in bounded memory."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
BUNCH = 8
"""Items begun, and results handed on, before the event loop has its turn: the first requests are on their way while the
others are prepared, and answers are read while those before them are written."""


async def _at_once() -> None:
    """Begin the next item without delay."""


async def in_order(
    items: Iterable[T],
    work: Callable[[int, T], Awaitable[R]],
    window: int,
    pause: Callable[[], Awaitable[None]] = _at_once,
) -> AsyncGenerator[R, None]:
    """Work on at most `window` items at once and yield the results in the items' order; `pause` is awaited after each
    item that was begun.

    The first failure, of whichever item, ends it: the rest is cancelled and the failure raised.
    """
    running: _Running[R] = _Running()
    feeder = asyncio.ensure_future(_feed(running, items, work, window, pause))
    feeder.add_done_callback(running.ended)
    handed_on = 0
    try:
        while True:
            await running.until_next(feeder)
            if not running.tasks:
                return
            yield running.tasks.popleft().result()
            running.room.set()
            handed_on += 1
            if handed_on % BUNCH == 0:
                await asyncio.sleep(0)
    finally:
        for task in (feeder, *running.tasks):
            task.cancel()
        await asyncio.gather(feeder, *running.tasks, return_exceptions=True)


class _Running(Generic[R]):
    """The items under way, earliest first."""

    def __init__(self) -> None:
        self.tasks: deque[asyncio.Task[R]] = deque()
        self.room = asyncio.Event()
        self._failure: BaseException | None = None
        self._changed = asyncio.Event()

    def ended(self, task: asyncio.Future[Any]) -> None:
        """Take note of the end of an item, or of all items."""
        if not task.cancelled():
            self._failure = self._failure or task.exception()
        if self._failure or not self.tasks or self.tasks[0].done():
            self._changed.set()

    async def until_next(self, feeder: asyncio.Future[None]) -> None:
        """Wait until the earliest has ended, or all have and none will follow. Raises the first failure."""
        while not self._failure and not (self.tasks[0].done() if self.tasks else feeder.done()):
            self._changed.clear()
            await self._changed.wait()
        if self._failure:
            raise self._failure


async def _feed(
    running: _Running[R],
    items: Iterable[T],
    work: Callable[[int, T], Awaitable[R]],
    window: int,
    pause: Callable[[], Awaitable[None]],
) -> None:
    for number, item in enumerate(items):
        while len(running.tasks) >= window:
            running.room.clear()
            await running.room.wait()
        task = asyncio.ensure_future(work(number, item))
        task.add_done_callback(running.ended)
        running.tasks.append(task)
        if number % BUNCH == 0:
            await asyncio.sleep(0)
        await pause()
