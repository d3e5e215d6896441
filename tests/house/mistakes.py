"""The table of calls that must fail: what is wrong, exit code, words of the message, and how to arrange it.

Add a row to the list that fits, or a list to `REFUSED`.
"""

import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from contract.records import Document, Sample
from curate_texts import document, sample, write_dataset
from pdf_files import pdf

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


CONFIG = [
    Refused("config that is not JSON", BAD_CONFIG, ("config is not JSON",), lambda f: Call("ingest", "{sources: []")),
    Refused(
        "config file absent", BAD_CONFIG, ("cannot be read", "nowhere.json"), lambda f: Call("ingest", "@nowhere.json")
    ),
    Refused("config that is a list", BAD_CONFIG, ("a mapping of fields",), lambda f: Call("ingest", "[1, 2]")),
    Refused(
        "unknown field", BAD_CONFIG, ("unknown field `mapper`", "--help"), lambda f: on_rows("clean", f, {"mapper": []})
    ),
    Refused("missing field", BAD_CONFIG, ("`sources` is missing",), lambda f: Call("ingest", {})),
    Refused("wrong type", BAD_CONFIG, ("`minimum` is", '"many"'), lambda f: on_rows("chunk", f, {"minimum": "many"})),
    Refused(
        "value that is no choice",
        BAD_CONFIG,
        ("`mappers.0`", "'plain'"),
        lambda f: on_rows("clean", f, {"mappers": ["p"]}),
    ),
    Refused(
        "value out of range", BAD_CONFIG, ("`minimum` is 0", "greater"), lambda f: on_rows("chunk", f, {"minimum": 0})
    ),
    Refused(
        "impossible range",
        BAD_CONFIG,
        ("minimum 9 is above maximum 5",),
        lambda f: on_rows("chunk", f, {"minimum": 9, "maximum": 5}),
    ),
    Refused(
        "broken pattern",
        BAD_CONFIG,
        ("not a regular expression",),
        lambda f: on_rows("filter", f, {"format": {"must_match": "("}}),
    ),
    Refused(
        "one id for all",
        BAD_CONFIG,
        ("the same id",),
        lambda f: from_file(f, "a.jsonl", lines(GOOD), constants={"id": "x"}),
    ),
    Refused(
        "text that rows lack",
        BAD_CONFIG,
        ("'answer'", "expected text"),
        lambda f: on_rows("filter", f, {"field": "answer"}),
    ),
]

COMMAND_LINE = [
    Refused("unknown stage", BAD_CONFIG, ("no stage 'ingset'", "ingest, clean"), lambda f: Call("ingset")),
    Refused("input absent", BAD_CONFIG, ("--input rows=URI is missing",), lambda f: Call("chunk")),
    Refused("input of unknown name", BAD_CONFIG, ("NAME one of rows",), lambda f: Call("chunk", {}, (("raw", "x"),))),
    Refused(
        "input given twice",
        BAD_CONFIG,
        ("rows given 2 times",),
        lambda f: Call("chunk", {}, (("rows", documents(f, PROSE)),) * 2),
    ),
    Refused(
        "input that is no dataset", BAD_INPUT, ("no manifest.json",), lambda f: Call("chunk", {}, (("rows", str(f)),))
    ),
    Refused(
        "input of another type",
        BAD_INPUT,
        ("rows of type Sample", "expected Document"),
        lambda f: Call("chunk", {}, (("rows", samples(f)),)),
    ),
    Refused(
        "latest of nothing",
        BAD_INPUT,
        ("nothing was published yet",),
        lambda f: Call("chunk", {}, (("rows", f"{f}/latest"),)),
    ),
    Refused(
        "output folder of someone else",
        BAD_CONFIG,
        ("not empty",),
        lambda f: on_rows("clean", f, output=full_folder(f)),
    ),
    Refused(
        "output is another dataset",
        BAD_CONFIG,
        ("another dataset is there",),
        lambda f: on_rows("clean", f, output=documents(f, PROSE, name="o")),
    ),
    Refused(
        "output below a file",
        BAD_CONFIG,
        ("cannot be made", "thesis.txt"),
        lambda f: on_rows("clean", f, output=f"{full_folder(f)}/thesis.txt/o"),
    ),
    Refused(
        "name too long", BAD_CONFIG, ("a name of 300 bytes", "255 at most"), lambda f: from_uri(f"{f}/{'x' * 300}")
    ),
    Refused("place of the system", BAD_CONFIG, ("part of the system",), lambda f: from_uri("/proc/self/environ")),
    Refused("scheme that is not read", BAD_CONFIG, ("'ftp'", "s3://"), lambda f: from_uri("ftp://a.example/x.json")),
]

PLACES = [
    Refused(
        "password in a source",
        BAD_CONFIG,
        ("holds a password, key or token", "://***@a.example"),
        lambda f: from_uri("https://me:hunter2@a.example/feed"),
    ),
    Refused(
        "token in a source",
        BAD_CONFIG,
        ("holds a password, key or token", "token=***"),
        lambda f: from_uri("https://a.example/feed?token=hunter2"),
    ),
    Refused("nobody to reach", BAD_CONFIG, ("web.contact is empty",), lambda f: from_uri("https://a.example/feed")),
    Refused(
        "web options of a file",
        BAD_CONFIG,
        ("`web` is set", "https://"),
        lambda f: from_file(f, "a.jsonl", lines(GOOD), web={"contact": "me@a.example"}),
    ),
    Refused("half a data set's name", BAD_CONFIG, ("hub://owner/name",), lambda f: from_uri("hub://a/b/c")),
    Refused(
        "address inside the network",
        BAD_INPUT,
        ("the address is not public", "web.allow_private"),
        lambda f: from_web("http://169.254.169.254/latest/meta-data"),
    ),
    Refused(
        "dead site",
        REMOTE,
        ("does not answer: robots.txt: no connection",),
        lambda f: from_web("http://127.0.0.1:9/feed", allow_private=True),
    ),
    Refused(
        "unknown encoding",
        BAD_CONFIG,
        ("unknown encoding", "cp1252"),
        lambda f: from_file(f, "a.txt", b"x", encoding="cp12521"),
    ),
    Refused(
        "brace left open",
        BAD_CONFIG,
        ("the brace at 0", "holds no path"),
        lambda f: from_file(f, "a.jsonl", lines(GOOD), text=["{text"]),
    ),
]

SOURCES = [
    Refused("missing file", BAD_INPUT, ("source has no files", "gone.json"), lambda f: from_uri(f"{f}/gone.json")),
    Refused("empty folder", BAD_INPUT, ("source has no files",), lambda f: from_uri(str(f))),
    Refused("empty file", BAD_INPUT, ("the sources hold no record",), lambda f: from_file(f, "a.jsonl", b"")),
    Refused(
        "header without rows", BAD_INPUT, ("the sources hold no record",), lambda f: from_file(f, "a.csv", b"text\n")
    ),
    Refused(
        "corrupt Parquet",
        BAD_INPUT,
        ("not Parquet", "a.parquet"),
        lambda f: from_file(f, "a.parquet", parquet([GOOD])[:-9]),
    ),
    Refused(
        "cut off .gz",
        BAD_INPUT,
        ("damaged", "a.jsonl.gz"),
        lambda f: from_file(f, "a.jsonl.gz", gzip.compress(lines(GOOD))[:-12]),
    ),
    Refused(
        "quote left open",
        BAD_INPUT,
        ("damaged: line 3",),
        lambda f: from_file(f, "a.csv", b'text\n"open\nto the end\n'),
    ),
    Refused(
        "list cut off", BAD_INPUT, ("not JSON", "a.json"), lambda f: from_file(f, "a.json", b'[{"text": "x"}, {"te')
    ),
    Refused(
        "no list at records_at",
        BAD_INPUT,
        ("no list at 'items'", "there is text"),
        lambda f: from_file(f, "a.json", lines(GOOD), records_at="items"),
    ),
    Refused(
        "wrong column",
        BAD_INPUT,
        ("1 of 1 records rejected", "missing_text: fields: text"),
        lambda f: from_file(f, "a.jsonl", lines(GOOD), text=["body"]),
    ),
    Refused(
        "too many rejects",
        BAD_INPUT,
        ("2 of 3 records rejected", "a.jsonl line 2", "max_rejected"),
        lambda f: from_file(f, "a.jsonl", lines(GOOD, b"{", b"{")),
    ),
    Refused("scanned PDF", BAD_INPUT, ("no_text: 1 pages",), lambda f: from_file(f, "a.pdf", pdf([[]]))),
    Refused(
        "cut off .xz",
        BAD_INPUT,
        ("damaged", "a.jsonl.xz"),
        lambda f: from_file(f, "a.jsonl.xz", lzma.compress(lines(GOOD))[:-12]),
    ),
    Refused(
        "header in another encoding",
        BAD_INPUT,
        ("the header is not UTF-8", "`encoding`"),
        lambda f: from_file(f, "a.csv", "größe,text\n1,x\n".encode("cp1252")),
    ),
    Refused("format nobody reads", BAD_INPUT, ("unknown_format: .docx",), lambda f: from_file(f, "a.docx", b"PK")),
]

STORED = [
    Refused(
        "truncated manifest",
        DAMAGED,
        ("manifest cannot be read",),
        lambda f: with_damage(f, lambda d: cut_off(d / "manifest.json")),
    ),
    Refused("changed shard", DAMAGED, ("SHA-256 differs",), lambda f: with_damage(f, lambda d: flip_a_byte(shard(d)))),
    Refused(
        "truncated shard", DAMAGED, ("not what was written",), lambda f: with_damage(f, lambda d: cut_off(shard(d)))
    ),
    Refused("missing shard", DAMAGED, ("is missing",), lambda f: with_damage(f, lambda d: shard(d).unlink())),
    Refused(
        "nothing left",
        EMPTY,
        ("nothing is left of 1 rows", "too_short 1"),
        lambda f: on_rows("filter", f, {"length": {"minimum": 10**6}}),
    ),
    Refused("0 rows", EMPTY, ("nothing is left of 0 rows",), lambda f: Call("clean", {}, (("rows", documents(f)),))),
    Refused(
        "no S3 credentials",
        BAD_CONFIG,
        ("NOCTURNE_S3_ENDPOINT", "not set"),
        lambda f: from_uri("s3://bucket/x", NOCTURNE_S3_ENDPOINT=""),
    ),
    Refused(
        "S3 endpoint without scheme",
        BAD_CONFIG,
        ("expected http://",),
        lambda f: from_uri("s3://bucket/x", **S3, NOCTURNE_S3_ENDPOINT="s3:9000"),
    ),
    Refused("no bucket", BAD_CONFIG, ("names no bucket",), lambda f: from_uri("s3:///x", **NO_SERVER)),
    Refused(
        "unreachable S3", REMOTE, ("does not answer", "127.0.0.1:9"), lambda f: from_uri("s3://bucket/x", **NO_SERVER)
    ),
]

QUALITY = [
    Refused(
        "labels from no score", BAD_CONFIG, ("names no `score`",), lambda f: Call("learn_quality", {}, on_samples(f))
    ),
    Refused(
        "labels from no decisions",
        BAD_CONFIG,
        ("there is no input `decisions`",),
        lambda f: Call("learn_quality", {"labels": "decisions"}, on_samples(f)),
    ),
    Refused(
        "nothing judged yet",
        BAD_INPUT,
        ("0 good and 0 bad samples to learn from",),
        lambda f: Call("learn_quality", {"score": "quality"}, on_samples(f)),
    ),
    Refused(
        "bands that do not ascend",
        BAD_CONFIG,
        ("expected ascending numbers",),
        lambda f: Call("review", {"length_bounds": [9, 3]}, on_samples(f)),
    ),
    Refused(
        "decisions that are none",
        BAD_INPUT,
        ("1 of 1 lines are no decisions, first a.jsonl line 1: `sample_id`",),
        lambda f: from_file(f, "a.jsonl", lines(GOOD))._replace(
            stage="decide", config={"sources": [{"uri": str(f / "a.jsonl")}]}
        ),
    ),
    Refused(
        "a classifier of another dataset",
        BAD_INPUT,
        ("no dataset of learn_quality behind this one",),
        lambda f: on_rows("filter", f, {"quality": {"classifier": {"model": documents(f, PROSE, name="other")}}}),
    ),
]

REFUSED = [*CONFIG, *COMMAND_LINE, *PLACES, *SOURCES, *STORED, *QUALITY]
