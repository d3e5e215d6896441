"""clean: repair and normalise text."""

from typing import Literal

from pydantic import Field

from contract.config.base import StageConfig

Mapper = Literal["unicode", "html", "boilerplate", "whitespace", "plain"]


class CleanConfig(StageConfig):
    """Runs mappers over each document's text, in order."""

    mappers: list[Mapper] = ["unicode", "html", "boilerplate", "whitespace"]
    """Mappers, in running order; `plain` keeps letters, digits, underscore, white space and . , ! ? ' only."""

    boilerplate: list[str] = [r"(?i)^\s*share this (post|article)\b.*$", r"(?i)^\s*subscribe( now| to .*)?\s*$"]
    """Regular expressions; a line that one of them matches is removed by the `boilerplate` mapper."""

    min_characters: int = Field(1, ge=0, le=1_000_000)
    """Shortest cleaned text kept (characters); a shorter one is dropped."""
