"""From a record as it was found to a document's values, or to the rule that it breaks.

A source's mapping is taken apart once; each record then costs a few look-ups and one hash. Rows are made as columns,
not as objects: checking millions of `Document`s one by one took five times as long as reading them.
"""

import datetime
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from contract.config.expressions import is_template, template_parts
from contract.config.ingest import IngestSource
from contract.keys import digest
from contract.records import Document
from curate.found import Found, Rejected
from curate.paths import dotted
from curate.spdx import spdx_id

ID_LENGTH = 20
SAME_NAME = ("title", "author", "url", "license", "language", "created_at")
"""Document fields taken from a record's key of the same name where nothing is mapped.

Not `id`: in raw files it is often a row number, which repeats from file to file."""

COLUMNS = tuple(Document.model_fields)
AT = {column: place for place, column in enumerate(COLUMNS)}
ID, TEXT, URL, LICENSE, METADATA = (AT[column] for column in ("id", "text", "url", "license", "metadata"))
Getter = Callable[[dict[str, Any]], Any]


class Mapped(NamedTuple):
    """A document's id, its values in the order of `COLUMNS` (metadata as JSON), whether a character was repaired."""

    id: str
    values: list[str | None]
    repaired: bool


class Mapper:
    """One source's mapping, applied to its records one by one."""

    def __init__(self, source: IngestSource, name: str, limit: int, license_beside: str | None = None) -> None:
        self.source, self.name, self.limit = source, name, limit
        self._metadata_paths = source.metadata
        self._one_key: Any = source.text[0] if len(source.text) == 1 and is_key(source.text[0]) else None
        self._parts = [(expression, getter(expression, texts_only=True)) for expression in source.text]
        paths = {field: field for field in SAME_NAME} | {str(field): path for field, path in source.fields.items()}
        free = {AT[field]: path for field, path in paths.items() if field not in source.constants}
        self._plain = [(at, path) for at, path in free.items() if is_key(path)]
        self._other = [(at, getter(path)) for at, path in free.items() if not is_key(path)]
        given = {"source": name, "license": license_beside} | {
            str(field): is_ for field, is_ in source.constants.items()
        }
        self._start = [given.get(column) for column in COLUMNS]

    def __call__(self, found: Found) -> Mapped | Rejected:
        """The document that a record becomes.

        Drops records whose text is absent, not text, blank, or longer than `limit` bytes. NUL bytes are removed and
        lone surrogates become U+FFFD, since neither can be stored as UTF-8 text.
        """
        raw = found.value.get(self._one_key)
        if type(raw) is not str:
            raw = self._text(found)
            if isinstance(raw, Rejected):
                return raw
        text = raw if raw.isascii() and "\x00" not in raw else storable(raw)
        if not text or text.isspace():
            return _reject(found, "blank_text", f"{len(text)} characters of white space")
        if len(text) * 4 > self.limit and (size := len(text.encode())) > self.limit:
            return _reject(found, "too_long", size, self.limit, row=text[:1_000])
        values = self._values(found.value)
        values[TEXT] = text
        values[METADATA] = self._metadata(found) if self._metadata_paths or found.facts else "{}"
        values[ID] = own = values[ID] or _hashed(self.name, values[URL] or found.identity or text)
        return Mapped(own, values, text is not raw)

    def _values(self, record: dict[str, Any]) -> list[str | None]:
        values = self._start.copy()
        for at, key in self._plain:
            value = record.get(key)
            if value is not None and (shown := as_text(value)) is not None:
                values[at] = shown
        for at, get in self._other:
            if (shown := as_text(get(record))) is not None:
                values[at] = shown
        stated = values[LICENSE]
        if stated is not None and stated is not self._start[LICENSE]:
            values[LICENSE] = spdx_id(stated)
        return values

    def _text(self, found: Found) -> str | Rejected:
        pieces: list[str] = []
        for expression, get in self._parts:
            value = get(found.value)
            if type(value) is str:
                pieces.append(value)
                continue
            if value is None:
                continue
            several = value if isinstance(value, list) else [value]
            if wrong := next((piece for piece in several if not isinstance(piece, str)), None):
                return _reject(found, "text_not_text", f"{expression}: {type(wrong).__name__}")
            pieces += several
        if not pieces:
            has, wanted = ", ".join(map(str, found.value)), ", ".join(self.source.text)
            return _reject(found, "missing_text", f"fields: {has}", wanted)
        return pieces[0] if len(pieces) == 1 else self.source.join.join(pieces)

    def _metadata(self, found: Found) -> str:
        kept = {path: as_text(dotted(found.value, path)) for path in self._metadata_paths}
        facts = {name: storable(fact) for name, fact in found.facts.items()}
        return orjson.dumps(facts | _present(kept), option=orjson.OPT_SORT_KEYS).decode()


def is_key(expression: str) -> bool:
    """Whether an expression is the name of one key of a record."""
    return "." not in expression and expression != "*" and not is_template(expression)


def getter(expression: str, texts_only: bool = False) -> Getter:
    """How the value of a dotted path or a template is found in a record.

    A list or an object inside a template becomes JSON; or, with `texts_only`, the value to be rejected by its type.
    """
    if is_template(expression):
        return _filled(template_parts(expression), texts_only)
    if is_key(expression):
        return lambda record: record.get(expression)
    return lambda record: dotted(record, expression)


def storable(text: str) -> str:
    """Text without NUL, surrogate pairs joined, lone surrogates replaced by U+FFFD; itself where it is fine."""
    if "\x00" not in text and (text.isascii() or _encodes(text)):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")


def as_text(value: Any) -> str | None:
    """A field's value as text: dates in ISO 8601, lists and objects as JSON; blank counts as absent."""
    if type(value) is str:
        return storable(value).strip() or None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, dict | list | bool):
        value = record_json(value)
    return storable(str(value)).strip() or None


def record_json(value: Any) -> str:
    """A found value as JSON text."""
    try:
        return storable(json.dumps(value, ensure_ascii=False, default=str))
    except RecursionError:
        return "(nested too deeply to be written as JSON)"


def _filled(parts: list[tuple[str, str]], texts_only: bool) -> Getter:
    """A template's text: absent fields leave nothing, and where all are absent so is the text."""
    pieces = [(literal, getter(path) if path else None) for literal, path in parts]

    def get(record: dict[str, Any]) -> Any:
        texts, present = [], False
        for literal, find in pieces:
            value = find(record) if find else None
            if texts_only and isinstance(value, dict | list | bytes):
                return [value]
            shown = as_text(value)
            present = present or shown is not None
            texts += [literal, shown or ""]
        return "".join(texts).strip() if present else None

    return get


def _hashed(name: str, identity: str) -> str:
    """The start of `digest([name, identity])`, by the faster writer of the same JSON."""
    try:
        content = orjson.dumps([name, identity])
    except TypeError:  # a file's name may hold what is no Unicode
        return digest([name, identity])[:ID_LENGTH]
    return hashlib.sha256(content).hexdigest()[:ID_LENGTH]


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _present(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _reject(
    found: Found, rule: str, value: str | int, threshold: str | int | None = None, row: str | None = None
) -> Rejected:
    return Rejected(found.place, rule, value, threshold, row=row or record_json(found.value))
