"""What a text must hold for one of many expressions to be found in it, so that compiled code can pass over the rest."""

import re
from collections.abc import Iterator, Sequence

FEWEST = 3
"""Characters; fewer are in most texts."""
SAME_LETTERS = "\u0130\u0131\u017f\u212a"
"""What `re` takes for i, s or k in any case, and RE2 does not always."""


def needed(patterns: Sequence[str]) -> str | None:
    """An expression (RE2) found in every text with a line that one of the patterns is found in; None if there is none.

    A pattern outside of groups and alternatives must have some plain ASCII characters one after another.
    """
    longest = [max(_literals(pattern), key=len, default="") for pattern in patterns]
    if not longest or min(map(len, longest)) < FEWEST:
        return None
    return "|".join(f"(?i:{re.escape(literal)})" for literal in longest) + f"|[{SAME_LETTERS}]"


def _literals(pattern: str) -> Iterator[str]:
    """Runs of characters that every match holds."""
    from re import _constants, _parser  # type: ignore[attr-defined]

    run = ""
    for kind, value in [*_parser.parse(pattern), (None, None)]:
        if kind is _constants.LITERAL and value < 0x80:
            run += chr(value)
        else:
            yield run
            run = ""
