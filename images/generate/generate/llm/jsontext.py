"""JSON out of what a model wrote: whole, or the objects that can be saved from a broken text."""

import json
import re
from collections.abc import Iterator
from typing import Any

FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?\s*```", re.DOTALL | re.IGNORECASE)
TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_decoder = json.JSONDecoder(strict=False)  # models write raw line breaks inside strings


def parse(text: str) -> Any:
    """The JSON value of a text that may be fenced, wrapped in prose or have trailing commas.

    Raises `ValueError` saying where it breaks.
    """
    error: ValueError | None = None
    for candidate in _candidates(text):
        try:
            return _decoder.decode(candidate)
        except ValueError as problem:
            error = error or problem
    raise error or ValueError("empty")


def salvage(text: str, keys: frozenset[str]) -> list[dict[str, Any]]:
    """The innermost objects that have all of `keys`, from a text that as a whole is not JSON (cut off, say)."""
    found, position = [], 0
    while (start := text.find("{", position)) >= 0:
        position = start + 1
        try:
            value, end = _decoder.raw_decode(text, start)
        except ValueError:
            continue
        if keys <= value.keys():
            found.append(value)
            position = end
    return found


def _candidates(text: str) -> Iterator[str]:
    text = text.strip()
    yield text
    if fenced := FENCE.search(text):
        yield fenced.group(1)
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end:
        yield text[start : end + 1]
        yield TRAILING_COMMA.sub("", text[start : end + 1])
