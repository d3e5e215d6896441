"""Languages of batches, by one process per core: fastText holds the interpreter's lock while it reads."""

from collections.abc import Callable, Iterable, Iterator
from itertools import tee
from pathlib import Path

import pyarrow as pa

from curate.language import Predictions, identifier
from curate.processes import in_order
from curate.text import text_column

ENOUGH = 8_000_000
"""Bytes of Parquet that take one process about 2 s to identify, three times what it takes processes to start."""


def with_languages(
    batches: Iterable[pa.RecordBatch], field: str, model: Path | None, workers: int = 0
) -> Iterator[tuple[pa.RecordBatch, Predictions]]:
    """Each batch with the language of its texts, in order, identified in processes; 0 workers means one per core.

    `model` is the path of a model, or None for the small published one.
    """
    kept, read = tee(batches)
    columns = (pa.record_batch([text_column(batch, field)], ["text"]) for batch in read)
    yield from zip(kept, in_order(column_reader, (model,), columns, workers), strict=True)


def column_reader(model: Path | None) -> Callable[[pa.RecordBatch], Predictions]:
    """What identifies the languages of a batch's only column."""
    identify = identifier(model)
    return lambda batch: identify(batch.column(0).to_pylist())
