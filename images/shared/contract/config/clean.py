"""clean: repair and normalise text."""

from typing import Literal

from pydantic import Field

from contract.config.base import Pattern, RowsConfig

Mapper = Literal["unicode", "html", "boilerplate", "whitespace", "plain"]


class CleanConfig(RowsConfig):
    """Runs mappers over each document's text, in order.

    `unicode` mends mojibake, control characters and curly quotes (ftfy); `html` strips tags and entities outside
    Markdown code; `boilerplate` removes lines by pattern; `whitespace` keeps indentation, and else one space and one
    blank line at most; `plain` keeps letters, digits, underscore, white space and . , ! ? ' only, and collapses white
    space.
    """

    mappers: list[Mapper] = ["unicode", "html", "boilerplate", "whitespace"]
    """Mappers, in running order."""

    boilerplate: list[Pattern] = [r"(?i)^\s*share this (post|article)\b.*$", r"(?i)^\s*subscribe( now| to .*)?\s*$"]
    """Regular expressions; a line that one of them matches is removed by the `boilerplate` mapper."""

    min_characters: int = Field(1, ge=1, le=1_000_000)
    """Shortest cleaned text kept (characters, 1 to 1,000,000); a shorter one is dropped."""
