"""Schedules as cron writes them, checked before a scheduler stumbles over one and takes other recipes with it."""

import re
from typing import NamedTuple

PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
PART = re.compile(
    r"(?P<any>\*)(?:/(?P<any_step>\d{1,3}))?|(?P<low>\w{1,3})(?:-(?P<high>\w{1,3})(?:/(?P<step>\d{1,3}))?)?", re.ASCII
)


class Field(NamedTuple):
    """One of the five fields: its name, its range, and the words that stand for its numbers from the lowest one on."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 7, DAYS),
)


def checked_cron(text: str) -> str:
    """A cron expression of five fields, or one of `PRESETS`, as it is.

    Raises `ValueError` for anything else, and for a day that never comes.
    """
    if text in PRESETS:
        return text
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ValueError(f"{len(parts)} fields; expected minute, hour, day, month and weekday, or {', '.join(PRESETS)}")
    _, _, days, months, _ = [_numbers(part, field) for part, field in zip(parts, FIELDS, strict=True)]
    if parts[4] == "*" and min(days) > max(LONGEST_MONTHS[month - 1] for month in months):
        raise ValueError(f"no month of {parts[3]} has a day {min(days)}")
    return text


def _numbers(text: str, field: Field) -> set[int]:
    return {number for part in text.split(",") for number in _range(part, field)}


def _range(text: str, field: Field) -> range:
    found = PART.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no {field.name}; expected *, */2, 1, 1-5 or 1-5/2")
    low = field.low if found["any"] else _number(found["low"], field)
    high = field.high if found["any"] else _number(found["high"], field) if found["high"] else low
    step = int(found["any_step"] or found["step"] or 1)
    if low > high or step < 1:
        raise ValueError(f"{text!r} is no {field.name}; expected a lower number first, and steps of 1 or more")
    return range(low, high + 1, step)


def _number(text: str, field: Field) -> int:
    if text.lower() in field.words:
        return field.low + field.words.index(text.lower())
    if not text.isdecimal() or not field.low <= int(text) <= field.high:
        raise ValueError(f"{text!r} is no {field.name}; expected {field.low} to {field.high}")
    return int(text)
