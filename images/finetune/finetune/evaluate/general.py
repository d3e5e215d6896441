"""General text that the model should still predict as well as before: rows from outside the dataset."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from contract.config.evaluate import GeneralText
from contract.failures import BadInput
from finetune.data import Row
from stagekit.parquet import read_batches
from stagekit.sources import source_files

PACKED = (".gz", ".zst", ".bz2")
BATCH = 1_000


def general_rows(tokenizer: Any, general: GeneralText, max_length: int) -> list[Row]:
    """The first texts as rows, cut to `max_length`; every token counts, and begin tokens are as the base has them.

    Raises `BadInput` where there is none, or where rows have no such field.
    """
    rows = []
    for place, text in enumerate(islice(texts(general), general.take)):
        ids = tokenizer(text)["input_ids"]
        if len(ids) > 1:
            rows.append(Row(f"general-{place}", ids[:max_length], ids[:max_length], len(ids)))
    if not rows:
        raise BadInput("no text to measure forgetting on", expected="at least one of two tokens", where=general.uri)
    return rows


def texts(general: GeneralText) -> Iterator[str]:
    """The texts of a source, file by file in the order of their names; rows without text are passed over.

    Raises `BadInput` for a file that cannot be read, or a row without the field.
    """
    store, entries = source_files(general)
    with tempfile.TemporaryDirectory(prefix="nocturne-general-") as folder:
        for entry in entries:
            path = store.fetch(entry.name, Path(folder))
            if path is None:
                raise BadInput("the file vanished while it was read", where=entry.name)
            yield from _file_texts(path, entry.name, general.text)


def _file_texts(path: Path, name: str, field: str) -> Iterator[str]:
    plain = name.lower()
    for ending in PACKED:
        plain = plain.removesuffix(ending)
    reader = READERS.get(Path(plain).suffix)
    if reader is None:
        raise BadInput("a file of an unknown kind", expected=f"one of {', '.join(READERS)}", where=name)
    try:
        for row in reader(path, name):
            if field not in row:
                raise BadInput(f"a row has no field {field!r}", expected=f"one of {', '.join(row)}", where=name)
            if text := str(row[field] or "").strip():
                yield text
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
        raise BadInput(f"the file cannot be read: {str(error).partition(chr(10))[0]}", where=name) from None


def _lines(path: Path, name: str) -> io.TextIOWrapper:
    packed = "detect" if name.lower().endswith(PACKED) else None
    return io.TextIOWrapper(pa.input_stream(str(path), compression=packed), encoding="utf-8", newline="")


def _jsonl(path: Path, name: str) -> Iterator[dict[str, Any]]:
    with _lines(path, name) as lines:
        for line in lines:
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise BadInput("a line holds no object", expected="JSON lines of objects", where=name)
                yield row


def _csv(path: Path, name: str) -> Iterator[dict[str, Any]]:
    with _lines(path, name) as lines:
        yield from csv.DictReader(lines)


def _parquet(path: Path, name: str) -> Iterator[dict[str, Any]]:
    for batch in read_batches(path, BATCH):
        yield from batch.to_pylist()


READERS: dict[str, Callable[[Path, str], Iterator[dict[str, Any]]]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
}
