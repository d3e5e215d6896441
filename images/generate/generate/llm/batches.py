"""Blocking work for many waiting coroutines, handed to threads together: one hand-over for all that came meanwhile."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Batches(Generic[T, R]):
    """`work` on lists of items, in `threads` at most at once; each item's result goes to who brought it.

    A hand-over to a thread and back costs more than a small file does, and a thread that makes many small calls of the
    system waits for the event loop's turn after each: without `threads`, work is done where it is asked for.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]], threads: int, pool: Executor) -> None:
        self._work, self._threads, self._free, self._pool = work, threads, threads, pool
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()

    async def do(self, item: T) -> R:
        """The result of one item. A failure of `work` reaches all items that it was given."""
        if not self._threads:
            return self._work([item])[0]
        loop = asyncio.get_running_loop()
        result: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, result))
        if len(self._waiting) == 1:
            loop.call_soon(self._start)  # what else comes in this turn of the loop comes along
        return await result

    def _start(self) -> None:
        while self._free and self._waiting:
            share = -(-len(self._waiting) // self._free)
            self._free -= 1
            batch = [self._waiting.popleft() for _ in range(share)]
            running = asyncio.get_running_loop().run_in_executor(self._pool, self._work, [item for item, _ in batch])
            running.add_done_callback(partial(self._finish, [result for _, result in batch]))

    def _finish(self, results: list[asyncio.Future[R]], done: "asyncio.Future[Sequence[R]]") -> None:
        self._free += 1
        waiting = [(number, result) for number, result in enumerate(results) if not result.done()]
        for number, result in waiting:
            if error := done.exception():
                result.set_exception(error)
            else:
                result.set_result(done.result()[number])
        self._start()
