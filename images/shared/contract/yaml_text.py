"""YAML that somebody else wrote, read without letting a small text become a large value."""

from typing import Any

import yaml

LONGEST = 200_000
"""Characters of a text: PyYAML reads some 50,000 in a second, and recipes are read again and again."""
MOST_VALUES = 100_000
"""Values of a text, those that aliases repeat counted each time: nine lines of nine aliases each stand for a billion,
and whoever writes them out or compares them runs out of memory."""


def plain_yaml(text: str) -> Any:
    """The value of a YAML text, by the safe loader.

    Raises `ValueError`, in one line, for what is no YAML, too long, nested too deep, or inside itself.
    """
    if len(text) > LONGEST:
        raise ValueError(f"{len(text):,} characters of YAML; expected {LONGEST:,} at most")
    try:
        value = yaml.safe_load(text)
        _unfolded(value, {})
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except RecursionError:
        raise ValueError("nested too deep, or inside itself by an alias") from None
    return value


def _unfolded(value: Any, known: dict[int, int]) -> int:
    """How many values a value holds, itself included. Raises `ValueError` where these are too many."""
    if not isinstance(value, dict | list | set | tuple):
        return 1
    if id(value) not in known:
        inner = [*value, *(value.values() if isinstance(value, dict) else ())]
        known[id(value)] = 1 + sum(_unfolded(item, known) for item in inner)
        if known[id(value)] > MOST_VALUES:
            raise ValueError(f"aliases unfold to over {MOST_VALUES:,} values")
    return known[id(value)]
