"""Readers, one per format: a file in, records and rejects out, in the file's own order.

A file whose parts can be told apart (lines, rows, one record per file) loses only the broken part, to the ledger. A
file of many records that cannot be read as a whole is a failure, since nobody can say how many records went with it.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

import pyarrow as pa

from contract.failures import BadInput
from curate.encoding import as_utf8
from curate.found import (
    COMPRESSED,
    Found,
    Record,
    Rejected,
    SourceFile,
    bad_byte,
    encoding_fact,
    first_line,
    lines,
    readable,
)
from curate.json_text import loads, plain_object
from curate.paths import dotted
from curate.whole_files import read_html, read_markdown, read_pdf, read_text
from stagekit.parquet import read_batches

PARQUET_ROWS = 2_000
LARGEST_JSON = 512 << 20
"""Bytes of a JSON file, decompressed: it is held whole, at up to four times its size as values."""
SHOWN = 20
ESCAPED = re.compile("[\udc80-\udcff]")


def read_jsonl(file: SourceFile) -> Iterator[Record]:
    """One JSON object per line; blank lines are no records."""
    stream, encoding = as_utf8(file)
    facts = encoding_fact(encoding)
    with stream:
        for number, line in enumerate(lines(stream, file.limit), 1):
            if not line or line.isspace():
                continue
            place = f"{file.name} line {number}"
            value = plain_object(line) if len(line) <= file.limit else None
            yield _json_line(file, place, line, facts) if value is None else Found(place, value, "", facts)


def read_json(file: SourceFile) -> Iterator[Record]:
    """A list of objects, at the top or at `records_at`, or one object that is the record. Held in memory whole."""
    stream, encoding = as_utf8(file)
    with stream:
        data = stream.read(LARGEST_JSON + 1).removeprefix(b"\xef\xbb\xbf")
    if len(data) > LARGEST_JSON:
        raise _too_large(file)
    try:
        value = loads(data)
    except (ValueError, RecursionError) as error:
        yield _broken_json(file, data, error)
        return
    facts = encoding_fact(encoding)
    if file.records_at:
        value = _list_inside(file, value)
    if not isinstance(value, list):
        yield _as_record(file.name, value, facts)
        return
    for number, item in enumerate(value, 1):
        yield _as_record(f"{file.name} record {number}", item, facts)


def read_csv(file: SourceFile) -> Iterator[Record]:
    """Comma-separated (`.tsv`: tab-separated) with a header line; quoted fields may hold line breaks."""
    csv.field_size_limit(file.limit)
    delimiter = "\t" if ".tsv" in PurePath(file.name).suffixes else ","
    stream, encoding = as_utf8(file)
    facts = encoding_fact(encoding)
    with stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")
        bounded = _Bounded(text, file.limit)
        rows = csv.reader(bounded, strict=True, delimiter=delimiter)
        try:
            header = next(rows, [])
            _check_header(file, header)
            bounded.row_ended()
            line = rows.line_num + 1
            for row in rows:
                bounded.row_ended()
                if row:
                    yield _csv_row(f"{file.name} line {line}", header, row, facts)
                line = rows.line_num + 1
        except csv.Error as error:
            raise file.damaged(f"line {rows.line_num}: {error}") from None


def read_parquet(file: SourceFile) -> Iterator[Record]:
    """One record per row, with all columns."""
    try:
        number = 0
        for batch in read_batches(file.path, PARQUET_ROWS):
            for row in _parquet_rows(batch):
                number += 1
                place = f"{file.name} row {number}"
                yield Rejected(place, "broken_encoding", row) if isinstance(row, str) else Found(place, row)
    except (pa.ArrowException, OSError) as error:
        raise file.damaged(f"not Parquet ({first_line(error)})") from None


READERS: dict[str, Callable[[SourceFile], Iterator[Record]]] = {
    "json": read_json,
    "jsonl": read_jsonl,
    "csv": read_csv,
    "parquet": read_parquet,
    "markdown": read_markdown,
    "html": read_html,
    "text": read_text,
    "pdf": read_pdf,
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
    ".pdf": "pdf",
}


def format_of(name: str) -> str | None:
    """The format that a file's ending stands for, a compression's ending left aside; None for an unknown one."""
    path = PurePath(name.lower())
    return ENDINGS.get(PurePath(path.stem).suffix if path.suffix in COMPRESSED else path.suffix)


def _json_line(file: SourceFile, place: str, line: bytes, facts: Mapping[str, str]) -> Record:
    if len(line) > file.limit:
        return Rejected(place, "too_long", f"over {file.limit}", file.limit, row=readable(line[:1_000]))
    try:
        return _as_record(place, loads(line), facts)
    except UnicodeDecodeError as error:
        return Rejected(place, "broken_encoding", bad_byte(error), row=readable(line))
    except (ValueError, RecursionError) as error:
        return Rejected(place, "broken_record", first_line(error), row=readable(line))


def _as_record(place: str, value: Any, facts: Mapping[str, str]) -> Record:
    if isinstance(value, dict):
        return Found(place, value, "", facts)
    return Rejected(place, "broken_record", f"{type(value).__name__}, not an object", row=str(value)[:1_000])


def _broken_json(file: SourceFile, data: bytes, error: Exception) -> Rejected:
    """One record's file is one reject; a file of many records is a failure."""
    if file.records_at or not data.lstrip().startswith(b"{"):
        raise file.damaged(f"not JSON ({first_line(error)})") from None
    rule = "broken_encoding" if isinstance(error, UnicodeDecodeError) else "broken_record"
    return Rejected(file.name, rule, first_line(error), row=readable(data))


def _too_large(file: SourceFile) -> BadInput:
    return BadInput(
        f"a JSON file of over {LARGEST_JSON >> 20:,} MB",
        expected="JSON lines for that much, which are read one by one",
        where=file.name,
        hint="`jq -c '.[]'` makes lines of a list",
    )


def _list_inside(file: SourceFile, value: Any) -> list[Any]:
    found = dotted(value, file.records_at)
    if isinstance(found, list):
        return found
    keys = ", ".join(value) if isinstance(value, dict) else f"a {type(value).__name__}"
    raise BadInput(f"no list at {file.records_at!r}; there is {keys}", expected="a list of records", where=file.name)


def _check_header(file: SourceFile, header: list[str]) -> None:
    where = f"{file.name} line 1"
    if ESCAPED.search("".join(header)):
        raise BadInput("the header is not UTF-8", where=where, hint="set the source's `encoding`")
    if doubles := sorted(name for name, count in Counter(header).items() if count > 1):
        raise BadInput(f"columns named twice: {', '.join(doubles[:SHOWN])}", where=where)


class _Bounded:
    """The lines of a CSV file. A row of more characters than a record may have is damage: whoever left a quotation mark
    open, or a file of one line, must not fill the memory. `row_ended` says that a row is whole."""

    def __init__(self, text: io.TextIOWrapper, limit: int) -> None:
        self._text, self._limit, self._size = text, limit, 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(self._limit + 1):
            self._size += len(line)
            if self._size > self._limit:
                raise csv.Error(f"a row of over {self._limit:,} characters")
            yield line

    def row_ended(self) -> None:
        """Begin to count anew."""
        self._size = 0


def _csv_row(place: str, header: list[str], row: list[str], facts: Mapping[str, str]) -> Record:
    whole = "".join(row)
    if not whole.isascii() and ESCAPED.search(whole):
        raw = ",".join(row).encode("utf-8", "surrogateescape")
        return Rejected(place, "broken_encoding", row=readable(raw))
    if len(row) != len(header):
        return Rejected(place, "broken_record", f"{len(row)} fields", f"{len(header)} as in the header", row=repr(row))
    return Found(place, dict(zip(header, row, strict=True)), "", facts)


def _parquet_rows(batch: pa.RecordBatch) -> list[Any]:
    """The rows; in the place of a row that is not UTF-8, what is wrong with it, as text."""
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError as error:
        if batch.num_rows == 1:
            return [bad_byte(error)]
    return [row for number in range(batch.num_rows) for row in _parquet_rows(batch.slice(number, 1))]
