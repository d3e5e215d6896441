"""Corpora of the duplicate benchmarks: real short rows, files of installed packages with planted edits, growth."""

import random
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from conftest import SHARED_DATA
from contract.manifest import MANIFEST, Manifest
from contract.records import Document
from stagekit.schema import arrow_schema, columns_of, to_batch
from stagekit.shards import ShardWriter

SHORT = SHARED_DATA / "neardup" / "short.parquet"
SUFFIXES = {".py", ".txt", ".md", ".rst", ".pyi", ".h"}
LENGTHS = (1_000, 60_000)  # bytes of a document
PLANTED = (0.0, 0.01, 0.05, 0.1)  # share of words edited
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def short_rows() -> list[str]:
    """The rows of ../shared/data/neardup/short.parquet."""
    if not SHORT.is_file():
        sys.exit(f"no real inputs at {SHORT} (set NOCTURNE_SHARED_DATA)")
    return pq.read_table(SHORT, columns=["text"])["text"].to_pylist()


def short_truth() -> tuple[np.ndarray, np.ndarray]:
    """All pairs of those rows with a Jaccard similarity of 0.6 or more: `(pairs, 2)` row numbers, and similarities."""
    pairs = np.load(SHORT.with_name("short_pairs.npz"))
    return np.sort(pairs["P"].astype(np.int64), axis=1), pairs["J"]


def long_documents(limit: int) -> list[str]:
    """Files of the installed packages, and after every fourth one an edited copy."""
    draw, found = random.Random(0), []
    for number, text in enumerate(_files()):
        found.append(text)
        if number % 4 == 0:
            found.append(_edited(text, PLANTED[number // 4 % len(PLANTED)], draw))
        if len(found) >= limit:
            break
    return found


def grown(rows: int) -> Iterator[str]:
    """So many short rows: the real ones, then the same with all letters moved on by one, and so on."""
    made, copy = 0, 0
    while made < rows:
        moved = LETTERS[copy:] + LETTERS[:copy]
        table = str.maketrans(LETTERS + LETTERS.upper(), moved + moved.upper())
        for batch in pq.ParquetFile(SHORT).iter_batches(5_000, columns=["text"]):
            yield from (text.translate(table) for text in batch["text"].to_pylist()[: max(0, rows - made)])
            made += batch.num_rows
        copy += 1


def as_parquet(texts: Iterable[str], path: Path) -> Path:
    """Texts as a file that every library can read: `id` and `text`."""
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for first, some in _batches(texts):
            ids = [str(first + number) for number in range(len(some))]
            file.write_table(pa.table({"id": ids, "text": some}, schema))
    return path


def as_dataset(texts: Iterable[str], folder: Path) -> str:
    """Texts as a dataset of the house, streamed; its content hash is made up."""
    folder.mkdir(parents=True)
    schema, one = arrow_schema(Document), to_batch([Document(id="", text="")], Document)
    writer, rows = ShardWriter(folder, "data", schema, 50_000, lambda shard, path: None), 0
    for first, some in _batches(texts):
        columns = dict(zip(one.schema.names, one.take(pa.array([0] * len(some))).columns, strict=True))
        columns |= {"id": pa.array([str(first + n) for n in range(len(some))]), "text": pa.array(some, pa.string())}
        writer.write(pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema))
        rows = first + len(some)
    moment = "2026-01-01T00:00:00Z"
    manifest = Manifest(
        stage="ingest", stage_version=1, key="k" * 20, config={}, record="Document", columns=columns_of(schema),
        shards=writer.close(), rows_in=0, rows_out=rows, content_hash="0" * 64, started=moment, finished=moment,
    )  # fmt: skip
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    return str(folder)


def _batches(texts: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    waiting, first = iter(texts), 0
    while some := list(islice(waiting, 10_000)):
        yield first, some
        first += len(some)


def _files() -> Iterator[str]:
    roots = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    for path in sorted(path for root in roots for path in root.rglob("*") if path.suffix in SUFFIXES):
        if path.is_file() and LENGTHS[0] <= path.stat().st_size <= LENGTHS[1]:
            yield path.read_text(encoding="utf-8", errors="replace")


def _edited(text: str, share: float, draw: random.Random) -> str:
    """A share of the words replaced; white space is kept."""
    parts = text.split(" ")
    return " ".join(f"{part}x{draw.randrange(1000)}" if draw.random() < share else part for part in parts)
