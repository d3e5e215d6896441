"""JSON as people write it: strict and fast by orjson, and by the standard library where that one refuses.

The second reading takes what is common in the wild and harmless: raw control characters in strings, NaN and Infinity,
escapes of lone surrogates, a byte order mark. Whole numbers beyond 64 bits, which orjson would round to a float, are
read exactly.
"""

import json
from typing import Any

import orjson

BEYOND = 2.0**63


def loads(data: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises `UnicodeDecodeError` where it is not UTF-8, else `ValueError`; `RecursionError` where it is nested too deep.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data.decode("utf-8-sig"), strict=False)
    return json.loads(data) if _rounded(value) else value


def plain_object(data: bytes) -> dict[str, Any] | None:
    """The object that a JSON text holds, where that is told at once; None where it takes `loads` to say what it is."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if type(value) is dict and not _rounded(value) else None


def _rounded(value: Any) -> bool:
    """Whether a number may have lost digits: a float that a whole number beyond 64 bits would have become."""
    waiting = [value]
    while waiting:  # no recursion: a value may be nested deeper than Python's stack
        outer = waiting.pop()
        for inner in outer.values() if type(outer) is dict else outer if type(outer) is list else (outer,):
            kind = type(inner)
            if kind is float:
                if inner >= BEYOND or inner <= -BEYOND:
                    return True
            elif kind is dict or kind is list:
                waiting.append(inner)
    return False
