"""Rows of small tables from outside the house: gold sets, seed tasks."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from contract.config.base import Table
from contract.failures import BadInput
from stagekit.sources import source_files

Row = dict[str, Any]
COMPRESSED = {".gz", ".zst"}


def read_table(table: Table) -> Iterator[tuple[str, Row | None]]:
    """Every row of a table's files with its place; None for one that is no object. Files are read in the order of
    their names, by their ending: `.json`, `.jsonl`, `.csv`, `.tsv`, `.parquet`, all but the last also with `.gz` and
    `.zst`.

    Raises `BadInput` for a file of another kind, or one that cannot be read as a whole.
    """
    store, entries = source_files(table)
    for entry in entries:
        reader = READERS.get(_ending(entry.name))
        if reader is None:
            raise BadInput(f"{entry.name!r} is no table", expected=f"one of {', '.join(READERS)}", where=table.uri)
        with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
            path = store.fetch(entry.name, Path(folder))
            if path is None:
                raise BadInput("the file vanished while the table was read", where=entry.name, hint="run again")
            try:
                for number, row in enumerate(reader(path, entry.name, table.records_at), 1):
                    yield f"{entry.name}:{number}", row if isinstance(row, dict) else None
            except (ValueError, OSError, csv.Error, pa.ArrowException, RecursionError) as error:
                problem = " ".join(str(error).split())[:300]
                raise BadInput(f"{entry.name} cannot be read: {problem}", where=table.uri) from None


def at_path(row: Any, path: str) -> Any:
    """The value at a dotted path, numbers counting list items from 0; None where there is none."""
    if isinstance(row, dict) and path in row:  # a column may have a dot in its name
        return row[path]
    for part in path.split("."):
        if isinstance(row, dict):
            row = row.get(part)
        elif isinstance(row, list) and part.isdigit() and int(part) < len(row):
            row = row[int(part)]
        else:
            return None
    return row


def _json(path: Path, name: str, records_at: str) -> Iterator[Any]:
    with _open(path, name) as file:
        value = json.loads(file.read())
    rows = at_path(value, records_at) if records_at else value
    if not isinstance(rows, list):
        raise ValueError(f"no list of rows at {records_at or 'the top'}")
    yield from rows


def _jsonl(path: Path, name: str, records_at: str) -> Iterator[Any]:
    with _open(path, name) as file:
        for line in _lines(file):
            if line.strip():
                yield json.loads(line)


def _csv(path: Path, name: str, records_at: str) -> Iterator[Any]:
    with _open(path, name) as file:
        yield from csv.DictReader(_lines(file), delimiter="\t" if ".tsv" in PurePath(name.lower()).suffixes else ",")


def _parquet(path: Path, name: str, records_at: str) -> Iterator[Any]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()


READERS: dict[str, Callable[[Path, str, str], Iterator[Any]]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
}


def _ending(name: str) -> str:
    path = PurePath(name.lower())
    return PurePath(path.stem).suffix if path.suffix in COMPRESSED else path.suffix


def _open(path: Path, name: str) -> BinaryIO:
    kind = {".gz": "gzip", ".zst": "zstd"}.get(PurePath(name.lower()).suffix)
    return pa.input_stream(str(path), compression=kind)  # type: ignore[no-any-return]


def _lines(file: BinaryIO) -> Iterator[str]:
    """Lines with their ends, the byte order mark taken off; raises `ValueError` where the text is not UTF-8."""
    yield from io.TextIOWrapper(file, "utf-8-sig", newline="")
