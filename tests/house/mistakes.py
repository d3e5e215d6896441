"""What the tables of calls that must fail are made of: exit code, words of the message, how to arrange it.

The tables are in `wrong_calls.py` and `wrong_data.py`; add a row to the list that fits.
"""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from contract.records import Document, Sample
from curate_texts import document, sample, write_dataset

BAD_CONFIG, BAD_INPUT, EMPTY, REMOTE, DAMAGED = 10, 11, 12, 13, 15
S3 = {"NOCTURNE_S3_ACCESS_KEY": "someone", "NOCTURNE_S3_SECRET_KEY": "something"}
NO_SERVER = S3 | {"NOCTURNE_S3_ENDPOINT": "http://127.0.0.1:9"}
PROSE = "A sentence that says something. "
GOOD = {"text": PROSE}


class Call(NamedTuple):
    """One command line. `config` as a string is passed on as it is."""

    stage: str
    config: Any = None
    inputs: tuple[tuple[str, str], ...] = ()
    output: str | None = None
    env: dict[str, str] | None = None


class Refused(NamedTuple):
    """A call that must fail. `arrange` makes what it needs in a folder."""

    name: str
    exit_code: int
    says: tuple[str, ...]
    arrange: Callable[[Path], Call]


def documents(folder: Path, *texts: str, name: str = "documents") -> str:
    """A dataset of documents with these texts."""
    return write_dataset(folder / name, [document(n, text) for n, text in enumerate(texts)], Document)


def samples(folder: Path) -> str:
    """A dataset of one sample."""
    return write_dataset(folder / "samples", [sample(1, "Why?", "Because.")], Sample)


def on_samples(folder: Path) -> tuple[tuple[str, str], ...]:
    """Samples as an input."""
    return (("rows", samples(folder)),)


def on_rows(stage: str, folder: Path, config: Any = None, **more: Any) -> Call:
    """A call of a stage with one good document as its input."""
    return Call(stage, config, (("rows", documents(folder, PROSE * 50)),), **more)


def from_file(folder: Path, name: str, data: bytes, **source: Any) -> Call:
    """Ingest of one file with this content."""
    (folder / name).write_bytes(data)
    return Call("ingest", {"sources": [{"uri": str(folder / name), **source}]})


def from_uri(uri: str, **env: str) -> Call:
    """Ingest of a source that is somewhere else."""
    return Call("ingest", {"sources": [{"uri": uri}]}, env=env)


def from_web(uri: str, **web: Any) -> Call:
    """Ingest of a source on the web."""
    return Call("ingest", {"sources": [{"uri": uri, "web": {"contact": "me@a.example", "delay": 0, **web}}]})


def with_damage(folder: Path, damage: Callable[[Path], None]) -> Call:
    """A call whose input was changed after it was written."""
    call = on_rows("clean", folder)
    damage(Path(call.inputs[0][1]))
    return call


def shard(dataset: Path) -> Path:
    return next((dataset / "data").iterdir())


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def full_folder(folder: Path) -> str:
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.txt").write_text("years of work")
    return str(folder / "mine")


def parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def lines(*rows: Any) -> bytes:
    """Records as JSONL; bytes stand as they are."""
    return b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
