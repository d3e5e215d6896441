"""Rows of small tables from outside the house: benchmarks, and general datasets to mix in."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from contract.config.base import Source
from contract.failures import BadInput
from stagekit.sources import source_files

COMPRESSED = {".gz": "gzip", ".zst": "zstd"}


class Row(NamedTuple):
    """One row: its place (file and line or number) and its fields; or no fields and what is wrong with it."""

    place: str
    fields: dict[str, Any]
    problem: str = ""
    raw: str = ""


def read_table(source: Source) -> Iterator[Row]:
    """All rows of a source's files, in the order of file names: JSON, JSON lines, CSV, Parquet, also .gz and .zst.

    Raises `BadInput` for a file of another kind, or one that cannot be read as a whole.
    """
    store, entries = source_files(source)
    with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
        for entry in entries:
            path = store.fetch(entry.name, Path(folder))
            if path is None:
                raise BadInput("the file is gone", where=f"{source.uri}: {entry.name}")
            reader = READERS.get(_ending(entry.name))
            if reader is None:
                known = ", ".join(READERS)
                raise BadInput(f"no reader for {entry.name!r}", expected=f"a file ending in {known}", where=source.uri)
            try:
                yield from reader(path, entry.name)
            except (pa.ArrowException, OSError, ValueError, csv.Error) as error:
                problem = str(error).partition("\n")[0]
                raise BadInput(f"the file cannot be read: {problem}", where=entry.name, hint="replace it") from None


def _json_lines(path: Path, name: str) -> Iterator[Row]:
    with _open(path, name) as stream:
        for number, line in enumerate(io.BufferedReader(stream), 1):
            if line.strip():
                yield _json_line(f"{name} line {number}", line)


def _json_line(place: str, line: bytes) -> Row:
    try:
        return _object(place, json.loads(line.decode("utf-8-sig")))
    except ValueError as error:
        return Row(place, {}, f"not JSON: {error}", line.decode("utf-8", "replace"))


def _json(path: Path, name: str) -> Iterator[Row]:
    """A list of objects, or an object that holds one under a key."""
    with _open(path, name) as stream:
        value = json.loads(stream.read().decode("utf-8-sig"))
    if isinstance(value, dict):
        value = next((item for item in value.values() if isinstance(item, list)), [value])
    for number, item in enumerate(value, 1):
        yield _object(f"{name} row {number}", item)


def _csv(path: Path, name: str) -> Iterator[Row]:
    with _open(path, name) as stream:
        text = io.TextIOWrapper(io.BufferedReader(stream), "utf-8-sig", newline="")
        for number, fields in enumerate(csv.DictReader(text, strict=True), 1):
            yield Row(f"{name} row {number}", dict(fields))


def _parquet(path: Path, name: str) -> Iterator[Row]:
    number = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(1_000):
            for fields in batch.to_pylist():
                number += 1
                yield Row(f"{name} row {number}", fields)


READERS: dict[str, Callable[[Path, str], Iterator[Row]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
    ".csv": _csv,
    ".parquet": _parquet,
}


def _object(place: str, value: Any) -> Row:
    if isinstance(value, dict):
        return Row(place, value)
    return Row(place, {}, f"a {type(value).__name__}, not an object", json.dumps(value, ensure_ascii=False))


def _ending(name: str) -> str:
    path = PurePath(name.lower())
    return PurePath(path.stem).suffix if path.suffix in COMPRESSED else path.suffix


def _open(path: Path, name: str) -> pa.NativeFile:
    compression = COMPRESSED.get(PurePath(name.lower()).suffix)
    return pa.input_stream(str(path), compression=compression)
