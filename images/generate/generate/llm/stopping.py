"""Being told to stop while paid requests are under way."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

TERMINATED = 128 + signal.SIGTERM


def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """`asyncio.run`, in which SIGTERM cancels the work instead of tearing it down: its clean-up may still wait for
    answers. Leaves by `SystemExit`, as stages do everywhere else.
    """
    before = signal.getsignal(signal.SIGTERM)
    stopped = asyncio.Event()
    try:
        asyncio.run(_cancellable(work, stopped))
    except asyncio.CancelledError:
        if not stopped.is_set():
            raise
        sys.exit(TERMINATED)
    finally:
        signal.signal(signal.SIGTERM, before)


async def _cancellable(work: Coroutine[Any, Any, None], stopped: asyncio.Event) -> None:
    task = asyncio.ensure_future(work)

    def stop() -> None:
        stopped.set()
        task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    await task
