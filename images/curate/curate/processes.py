"""Work on batches in processes, results in order: for Python code, which threads cannot run side by side."""

import multiprocessing
import multiprocessing.reduction
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import Any, TypeVar

import pyarrow as pa

from curate.cores import cores

A = TypeVar("A")
B = TypeVar("B")

# Pickle sends all of the buffers that a slice is cut from; Arrow's own format sends the slice.
multiprocessing.reduction.ForkingPickler.register(
    pa.RecordBatch, lambda batch: (pa.ipc.read_record_batch, (batch.serialize(), batch.schema))
)

FEW = 2
"""Fewer items are done before a process has started."""
AHEAD = 3
"""Items that a helper has or waits for: this process may be away for a while, writing what came back."""

_made: Any = None
"""In a worker: what its `make` returned."""


def in_order(
    make: Callable[..., Callable[[A], B]], arguments: tuple[Any, ...], items: Iterable[A], workers: int = 0
) -> Iterator[B]:
    """`map(make(*arguments), items)` over processes, each of which calls `make` once; 0 workers means one per core.

    This process is one of them: it works alone until the others have started, and later whenever they have enough to
    do, so that no core waits for the pipes. `make`, arguments, items and results travel between processes, so they must
    pickle.
    """
    helpers = (workers or cores()) - 1
    work = make(*arguments)
    items = iter(items)
    first = list(islice(items, FEW))
    if helpers < 1 or len(first) < FEW:
        yield from map(work, chain(first, items))
        return
    # Started afresh: a fork of a process that has threads (Arrow's) may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(helpers, mp_context=context, initializer=_start, initargs=(make, arguments))
    try:
        yield from _shared(pool, helpers, work, chain(first, items))
    finally:
        pool.shutdown(cancel_futures=True)


def _shared(pool: ProcessPoolExecutor, helpers: int, work: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """Results in order, of helpers that are ready and of this process."""
    started = [pool.submit(os.getpid) for _ in range(helpers)]
    waiting: deque[Future[B]] = deque()
    for item in items:
        ready = sum(future.done() for future in started)
        busy = sum(not future.done() for future in waiting)
        waiting.append(pool.submit(_call, item) if busy < AHEAD * ready else _done(work(item)))
        while waiting and (waiting[0].done() or len(waiting) > 2 * AHEAD * helpers):
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _done(result: B) -> Future[B]:
    future: Future[B] = Future()
    future.set_result(result)
    return future


def _start(make: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    global _made
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _made = make(*arguments)


def _end_with_parent() -> None:
    """A worker waits for work for ever, also when its parent was killed."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _call(item: Any) -> Any:
    return _made(item)
