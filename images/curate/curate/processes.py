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

_made: Any = None
"""In a worker: what its `make` returned."""


def in_order(
    make: Callable[..., Callable[[A], B]], arguments: tuple[Any, ...], items: Iterable[A], workers: int = 0
) -> Iterator[B]:
    """`map(make(*arguments), items)` over processes, each of which calls `make` once; 0 workers means one per core.

    One item alone, or one worker, stays in this process: a process takes longer to start than a batch to do. `make`,
    arguments, items and results travel between processes, so they must pickle.
    """
    count = workers or cores()
    items = iter(items)
    first = list(islice(items, 2))
    items = chain(first, items)
    if count == 1 or len(first) < 2:
        yield from map(make(*arguments), items)
        return
    # Started afresh: a fork of a process that has threads (Arrow's) may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_start, initargs=(make, arguments))
    waiting: deque[Future[B]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(_call, item))
            if len(waiting) > count + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


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
