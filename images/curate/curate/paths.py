"""Dotted paths into nested values: `content.body`, `turns.0`, `choices.text`, `content.*`."""

from typing import Any


def dotted(value: Any, path: str) -> Any:
    """The value at a dotted path, or None where there is none.

    A part is a key of an object, a position in a list, or `*` for all values of either. A key looked up in a list is
    looked up in each of its items, and those that lack it are left out. A key that holds dots itself is found first.
    """
    if isinstance(value, dict) and path in value:
        return value[path]
    for part in path.split("."):
        value = _step(value, part)
        if value is None:
            return None
    return value


def _step(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return list(value.values()) if part == "*" else value.get(part)
    if not isinstance(value, list) or part == "*":
        return value if isinstance(value, list) else None
    if part.isdecimal():
        return value[int(part)] if int(part) < len(value) else None
    found = [_step(item, part) for item in value]
    return [item for item in found if item is not None] or None
