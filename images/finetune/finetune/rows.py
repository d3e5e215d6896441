"""Training rows on disk: packed once, by the plan, and read by whoever trains without being loaded.

An Arrow file with the columns `input_ids` and `labels` and, where rows are packed, `seq_lengths`: the lengths of the
samples in each row. All are lists of 32-bit integers: a token takes 8 bytes.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa

from contract.config.finetune import Training
from finetune.data import Row

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = ("train", "test")
WRITTEN_TOKENS = 500_000
PACKED_TOKENS = 8_000_000
"""Tokens among which packing looks for what fits together: more would pack hardly better, and be held in memory."""
TOKENS = pa.list_(pa.int32())
SCHEMA = pa.schema([("input_ids", TOKENS), ("labels", TOKENS)])


def rows_file(split: str) -> str:
    """The name of a split's file in a plan."""
    return f"rows/{split}.arrow"


def write_rows(rows: Iterable[Row], path: Path, training: Training) -> int:
    """Write rows to a file as the trainer takes them, and return how many that makes; none make no file.

    They are packed best-fit-decreasing where the training says so, by TRL's packer; a row must not be longer than
    `max_length`. Rows are taken one by one, so only what is packed at once is ever in memory.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as name:
        plain, packed = Path(name) / "plain.arrow", Path(name) / "packed.arrow"
        number, tokens = _write(rows, plain)
        if number and training.packing:
            number = _pack(plain, packed, training.max_length, max(1, PACKED_TOKENS * number // tokens))
            _without_metadata(packed, path)
        elif number:
            plain.rename(path)
    return number


def open_rows(path: Path) -> "Dataset":
    """The rows of a file, memory-mapped."""
    from datasets import Dataset  # slow to import, as TRL is: what refuses sooner, may

    return Dataset.from_file(str(path))


def _pack(plain: Path, path: Path, max_length: int, at_once: int) -> int:
    from datasets import disable_progress_bars
    from trl import pack_dataset

    disable_progress_bars()
    settings = {"batch_size": at_once, "cache_file_name": str(path), "load_from_cache_file": False}
    return len(pack_dataset(open_rows(plain), max_length, "bfd", settings))


def _without_metadata(packed: Path, path: Path) -> None:
    """Copy a file without what `datasets` notes of how it was made, which no two equal files share."""
    with pa.memory_map(str(packed)) as source, pa.ipc.open_stream(source) as batches:
        schema = batches.schema.remove_metadata()
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
            for batch in batches:
                stream.write(batch.replace_schema_metadata(None))


def _write(rows: Iterable[Row], path: Path) -> tuple[int, int]:
    """Rows and tokens written."""
    number = tokens = 0
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, SCHEMA) as stream:
        for batch in _batches(rows):
            stream.write(batch)
            number, tokens = number + batch.num_rows, tokens + len(batch.column(0).flatten())
    return number, tokens


def _batches(rows: Iterable[Row]) -> Iterator[pa.RecordBatch]:
    held: list[Row] = []
    tokens = 0
    for row in rows:
        held.append(row)
        tokens += len(row.ids)
        if tokens >= WRITTEN_TOKENS:
            yield _batch(held)
            held, tokens = [], 0
    if held:
        yield _batch(held)


def _batch(rows: list[Row]) -> pa.RecordBatch:
    columns = [[row.ids for row in rows], [row.labels for row in rows]]
    return pa.record_batch([pa.array(column, TOKENS) for column in columns], schema=SCHEMA)
