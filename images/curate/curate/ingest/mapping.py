"""From a record as it was found to a document, or to the rule that it breaks."""

import datetime
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from contract.config.ingest import IngestSource
from contract.keys import digest
from contract.records import Document
from curate.found import Found, Rejected
from curate.paths import dotted

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
ID_LENGTH = 20
SAME_NAME = ("title", "author", "url", "license", "language", "created_at")
"""Document fields taken from a record's key of the same name where nothing is mapped.

Not `id`: in raw files it is often a row number, which repeats from file to file."""


def document_from(found: Found, source: IngestSource, name: str, limit: int) -> Document | Rejected:
    """The document that a record becomes under a source's mapping.

    Drops records whose text is absent, not text, blank, or longer than `limit` bytes. NUL bytes are removed and lone
    surrogates become U+FFFD, since neither can be stored as UTF-8 text.
    """
    text = _text(found, source)
    if isinstance(text, Rejected):
        return text
    text = storable(text)
    if not text.strip():
        return _reject(found, "blank_text", f"{len(text)} characters of white space")
    if len(text) * 4 > limit and (size := len(text.encode())) > limit:
        return _reject(found, "too_long", size, limit, row=text[:1_000])
    fields = {field: _string(dotted(found.value, path)) for field, path in _paths(source).items()}
    fields.update({str(field): value for field, value in source.constants.items()})
    own_id, origin = fields.pop("id", None), fields.pop("source", None)
    identity = fields.get("url") or found.identity or text
    return Document(
        id=own_id or digest([name, identity])[:ID_LENGTH],
        text=text,
        source=origin or name,
        metadata=_metadata(found.value, source),
        **fields,
    )


def needs_repair(found: Found) -> bool:
    """Whether a record's values hold characters that cannot be stored."""
    waiting: list[Any] = [found.value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and UNSTORABLE.search(value):
            return True
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return False


def storable(text: str) -> str:
    """Text without NUL, surrogate pairs joined, lone surrogates replaced by U+FFFD."""
    if not UNSTORABLE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")


def record_json(value: Any) -> str:
    """A found value as JSON text."""
    try:
        return storable(json.dumps(value, ensure_ascii=False, default=str))
    except RecursionError:
        return "(nested too deeply to be written as JSON)"


def _text(found: Found, source: IngestSource) -> str | Rejected:
    parts: list[str] = []
    for path in source.text:
        value = dotted(found.value, path)
        if value is None:
            continue
        pieces = value if isinstance(value, list) else [value]
        if wrong := next((piece for piece in pieces if not isinstance(piece, str)), None):
            return _reject(found, "text_not_text", f"{path}: {type(wrong).__name__}")
        parts += pieces
    if not parts:
        return _reject(found, "missing_text", f"fields: {', '.join(map(str, found.value))}", ", ".join(source.text))
    return source.join.join(parts)


def _paths(source: IngestSource) -> dict[str, str]:
    return {field: field for field in SAME_NAME} | {str(field): path for field, path in source.fields.items()}


def _metadata(value: Mapping[str, Any], source: IngestSource) -> dict[str, str]:
    found = {path: _string(dotted(value, path)) for path in source.metadata}
    return {path: text for path, text in found.items() if text is not None}


def _string(value: Any) -> str | None:
    """A field's value as text: dates in ISO 8601, lists and objects as JSON; blank counts as absent."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, dict | list | bool):
        value = record_json(value)
    return storable(str(value)).strip() or None


def _reject(
    found: Found, rule: str, value: str | int, threshold: str | int | None = None, row: str | None = None
) -> Rejected:
    return Rejected(found.place, rule, value, threshold, row=row or record_json(found.value))
