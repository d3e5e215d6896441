"""Readers, one per format: a file in, records and rejects out, in the file's own order.

A file whose parts can be told apart (lines, rows, one record per file) loses only the broken part, to the ledger. A
file of many records that cannot be read as a whole is a failure, since nobody can say how many records went with it.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from contract.failures import BadInput
from curate.found import COMPRESSED, Found, Rejected, SourceFile, readable
from curate.markup import page_fields, page_text
from curate.paths import dotted

Record = Found | Rejected
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
HEADING = re.compile(r"^#{1,2}[ \t]+(\S[^\n]*)$", re.MULTILINE)
PARQUET_ROWS = 256  # rows of megabytes each must still fit


def read_jsonl(file: SourceFile) -> Iterator[Record]:
    """One JSON object per line; blank lines are no records."""
    for number, line in enumerate(file.lines(), 1):
        if line.strip():
            yield _json_line(file, f"{file.name} line {number}", line)


def read_json(file: SourceFile) -> Iterator[Record]:
    """A list of objects, at the top or at `records_at`, or one object that is the record. Held in memory whole."""
    with file.open() as stream:
        data = stream.read().removeprefix(b"\xef\xbb\xbf")
    try:
        value = json.loads(data.decode("utf-8"), strict=False)
    except (ValueError, RecursionError) as error:
        yield _broken_json(file, data, error)
        return
    if file.records_at:
        value = _list_inside(file, value)
    if not isinstance(value, list):
        yield _as_record(file.name, value)
        return
    for number, item in enumerate(value, 1):
        yield _as_record(f"{file.name} record {number}", item)


def read_csv(file: SourceFile) -> Iterator[Record]:
    """Comma-separated (`.tsv`: tab-separated) with a header line; quoted fields may hold line breaks."""
    csv.field_size_limit(file.limit)
    delimiter = "\t" if ".tsv" in PurePath(file.name).suffixes else ","
    with file.open() as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")
        rows = csv.reader(text, strict=True, delimiter=delimiter)
        try:
            header = next(rows, [])
            _refuse_doubles(file, header)
            line = rows.line_num + 1
            for row in rows:
                if row:
                    yield _csv_row(f"{file.name} line {line}", header, row)
                line = rows.line_num + 1
        except csv.Error as error:
            raise file.damaged(f"line {rows.line_num}: {error}") from None


def read_parquet(file: SourceFile) -> Iterator[Record]:
    """One record per row, with all columns."""
    try:
        with pq.ParquetFile(file.path) as parquet:
            number = 0
            for batch in parquet.iter_batches(PARQUET_ROWS):
                for row in _parquet_rows(batch):
                    number += 1
                    place = f"{file.name} row {number}"
                    yield Rejected(place, "broken_encoding", row) if isinstance(row, str) else Found(place, row)
    except (pa.ArrowException, OSError) as error:
        raise file.damaged(f"not Parquet ({_first_line(error)})") from None


def read_text(file: SourceFile) -> Iterator[Record]:
    """The whole file is one record: `text`, `title` from the file's name, `file`."""
    text = _whole(file)
    yield text if isinstance(text, Rejected) else _whole_file(file, {"text": text})


def read_markdown(file: SourceFile) -> Iterator[Record]:
    """The whole file is one record: front matter's keys, `text` after it, `title` from the first heading."""
    text = _whole(file)
    if isinstance(text, Rejected):
        yield text
        return
    text = text.replace("\r\n", "\n")
    front = FRONT_MATTER.match(text)
    try:
        fields = yaml.safe_load(front[1]) if front else None
    except (yaml.YAMLError, ValueError) as error:
        yield Rejected(file.name, "broken_record", f"front matter: {_first_line(error)}", row=text)
        return
    body = text[front.end() :] if front and isinstance(fields, dict) else text
    heading = HEADING.search(body)
    titled = {"title": _without_closing(heading[1])} if heading else {}
    yield _whole_file(file, titled | (fields if isinstance(fields, dict) else {}) | {"text": body})


def read_html(file: SourceFile) -> Iterator[Record]:
    """The whole page is one record: `text` without scripts and styles, and what the page says about itself."""
    html = _whole(file)
    yield html if isinstance(html, Rejected) else _whole_file(file, page_fields(html) | {"text": page_text(html)})


READERS: dict[str, Callable[[SourceFile], Iterator[Record]]] = {
    "json": read_json,
    "jsonl": read_jsonl,
    "csv": read_csv,
    "parquet": read_parquet,
    "markdown": read_markdown,
    "html": read_html,
    "text": read_text,
}

ENDINGS = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".txt": "text",
    ".text": "text",
}


def format_of(name: str) -> str | None:
    """The format that a file's ending stands for, a compression's ending left aside; None for an unknown one."""
    path = PurePath(name.lower())
    return ENDINGS.get(PurePath(path.stem).suffix if path.suffix in COMPRESSED else path.suffix)


def _json_line(file: SourceFile, place: str, line: bytes) -> Record:
    if len(line) > file.limit:
        return Rejected(place, "too_long", f"over {file.limit}", file.limit, row=readable(line[:1_000]))
    try:
        return _as_record(place, json.loads(line.decode("utf-8-sig"), strict=False))
    except UnicodeDecodeError as error:
        return Rejected(place, "broken_encoding", _bad_byte(error), row=readable(line))
    except (ValueError, RecursionError) as error:
        return Rejected(place, "broken_record", _first_line(error), row=readable(line))


def _as_record(place: str, value: Any) -> Record:
    if isinstance(value, dict):
        return Found(place, value)
    return Rejected(place, "broken_record", f"{type(value).__name__}, not an object", row=json.dumps(value))


def _broken_json(file: SourceFile, data: bytes, error: Exception) -> Rejected:
    """One record's file is one reject; a file of many records is a failure."""
    if file.records_at or not data.lstrip().startswith(b"{"):
        raise file.damaged(f"not JSON ({_first_line(error)})") from None
    rule = "broken_encoding" if isinstance(error, UnicodeDecodeError) else "broken_record"
    return Rejected(file.name, rule, _first_line(error), row=readable(data))


def _list_inside(file: SourceFile, value: Any) -> list[Any]:
    found = dotted(value, file.records_at)
    if isinstance(found, list):
        return found
    keys = ", ".join(value) if isinstance(value, dict) else f"a {type(value).__name__}"
    raise BadInput(f"no list at {file.records_at!r}; there is {keys}", expected="a list of records", where=file.name)


def _refuse_doubles(file: SourceFile, header: list[str]) -> None:
    if doubles := sorted({name for name in header if header.count(name) > 1}):
        raise BadInput(f"columns named twice: {', '.join(doubles)}", where=f"{file.name} line 1")


def _csv_row(place: str, header: list[str], row: list[str]) -> Record:
    if any("\udc80" <= character <= "\udcff" for cell in row for character in cell if not cell.isascii()):
        raw = ",".join(row).encode("utf-8", "surrogateescape")
        return Rejected(place, "broken_encoding", row=readable(raw))
    if len(row) != len(header):
        return Rejected(place, "broken_record", f"{len(row)} fields", f"{len(header)} as in the header", row=repr(row))
    return Found(place, dict(zip(header, row, strict=True)))


def _parquet_rows(batch: pa.RecordBatch) -> list[Any]:
    """The rows; in the place of a row that is not UTF-8, what is wrong with it, as text."""
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError as error:
        if batch.num_rows == 1:
            return [_bad_byte(error)]
    return [row for number in range(batch.num_rows) for row in _parquet_rows(batch.slice(number, 1))]


def _whole(file: SourceFile) -> str | Rejected:
    with file.open() as stream:
        data = stream.read(file.limit + 1)
    if len(data) > file.limit:
        return Rejected(file.name, "too_long", f"over {file.limit}", file.limit, row=readable(data[:1_000]))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Rejected(file.name, "broken_encoding", _bad_byte(error), row=readable(data))


def _whole_file(file: SourceFile, fields: dict[str, Any]) -> Found:
    stem = PurePath(file.name).name.partition(".")[0]
    return Found(file.name, {"title": stem, "file": file.name} | fields, identity=file.name)


def _without_closing(heading: str) -> str:
    """A Markdown heading's text without the number signs that may close it."""
    text = heading.rstrip()
    bare = text.rstrip("#")
    return bare.rstrip() if bare.endswith((" ", "\t")) else text


def _bad_byte(error: UnicodeDecodeError) -> str:
    return f"byte {error.object[error.start]:#04x} at {error.start}: {error.reason}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
