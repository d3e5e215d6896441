"""clean: repair and normalise text."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import RUNTIME, Config, Pattern, RowsConfig
from contract.config.private import Personal, Placeholders, Secrets

Mapper = Literal[
    "unicode", "html", "markdown", "boilerplate", "furniture", "secrets", "personal", "whitespace", "plain"
]
BEFORE_PRIVATE = ("unicode", "html", "markdown")
"""Mappers that bring hidden values to light, or would take placeholders for tags."""


class Furniture(Config):
    """When a line counts as page furniture: it stands in many documents of one source."""

    documents: int = Field(10, ge=2, le=1_000_000_000)
    """Fewest documents of one source that hold the line (2 to 1,000,000,000)."""

    share: float = Field(0.1, ge=0.0, le=1.0)
    """Least share of the source's documents that hold it (0.0 to 1.0)."""


class CleanConfig(RowsConfig):
    """Runs mappers over each document's text, in order.

    `unicode` mends mojibake, control characters and curly quotes (ftfy); `html` strips tags and entities outside
    Markdown code; `markdown` leaves the text of links, headings, emphasis and tables, and code as it is; `boilerplate`
    removes lines by pattern, `furniture` lines that recur over many documents; `secrets` and `personal` put
    placeholders for keys and personal data; `whitespace` keeps indentation, and else one space and one blank line at
    most; `plain` keeps letters, digits, underscore, white space and . , ! ? ' only, and collapses white space.
    """

    mappers: list[Mapper] = ["unicode", "html", "boilerplate", "whitespace"]
    """Mappers, in running order. `secrets` and `personal` go after `unicode`, `html` and `markdown`, before `plain`."""

    boilerplate: list[Pattern] = [r"(?i)^\s*share this (post|article)\b.*$", r"(?i)^\s*subscribe( now| to .*)?\s*$"]
    """Regular expressions; a line that one of them matches is removed by the `boilerplate` mapper."""

    furniture: Furniture = Furniture()
    """Which recurring lines the `furniture` mapper removes."""

    secrets: Secrets = Secrets()
    """What the `secrets` mapper looks for."""

    personal: Personal = Personal()
    """What the `personal` mapper looks for."""

    placeholders: Placeholders = Placeholders()
    """What the `secrets` and `personal` mappers put in the place of what they find."""

    min_characters: int = Field(1, ge=1, le=1_000_000)
    """Shortest cleaned text kept (characters, 1 to 1,000,000); a shorter one is dropped."""

    workers: int = Field(0, ge=0, le=256, json_schema_extra=RUNTIME)
    """Processes (0 to 256); 0 means one per core."""

    @model_validator(mode="after")
    def _private_in_its_place(self) -> Self:
        places = [place for place, name in enumerate(self.mappers) if name in ("secrets", "personal")]
        if not places:
            return self
        late = [name for name in self.mappers[min(places) :] if name in BEFORE_PRIVATE]
        if late:
            raise ValueError(f"{late[0]!r} stands after {self.mappers[min(places)]!r}, and must stand before it")
        if "plain" in self.mappers[: max(places)]:
            raise ValueError(f"{self.mappers[max(places)]!r} stands after 'plain', which leaves nothing to find it by")
        return self
