"""Words near a candidate that say what it is."""

import re

BEFORE, AFTER = 48, 16
"""Characters looked at on either side; a word farther away says little about a number."""


def words(*alternatives: str) -> re.Pattern[str]:
    """An expression for whole words in any case."""
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(alternatives)})(?![^\W_])", re.IGNORECASE)


def said_before(text: str, start: int, context: re.Pattern[str], reach: int = BEFORE) -> bool:
    """Whether one of the words stands at most `reach` characters before a place, in the same paragraph."""
    near = text[max(0, start - reach) : start]
    return context.search(near.rpartition("\n\n")[2]) is not None


def said_after(text: str, end: int, context: re.Pattern[str], reach: int = AFTER) -> bool:
    """Whether one of the words stands at most `reach` characters after a place, on the same line."""
    near = text[end : end + reach]
    return context.search(near.partition("\n")[0]) is not None
