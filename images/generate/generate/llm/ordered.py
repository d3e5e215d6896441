"""Many things at once, results in order, in bounded memory."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def in_order(items: Iterable[T], work: Callable[[int, T], Awaitable[R]], window: int) -> AsyncGenerator[R, None]:
    """Work on at most `window` items at once and yield the results in the items' order.

    The first failure, of whichever item, ends it: the rest is cancelled and the failure raised.
    """
    left = enumerate(items)
    tasks: deque[asyncio.Task[R]] = deque()
    broken: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def note_failure(task: asyncio.Task[R]) -> None:
        if not task.cancelled() and (error := task.exception()) and not broken.done():
            broken.set_result(error)

    def fill() -> None:
        while len(tasks) < window and (numbered := next(left, None)):
            task = asyncio.ensure_future(work(*numbered))
            task.add_done_callback(note_failure)
            tasks.append(task)

    try:
        fill()
        while tasks:
            either: set[asyncio.Future[Any]] = {tasks[0], broken}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if broken.done():
                raise broken.result()
            yield tasks.popleft().result()
            fill()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
