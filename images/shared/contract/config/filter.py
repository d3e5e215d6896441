"""filter: keep the rows that pass every rule."""

from typing import Literal

from pydantic import Field

from contract.config.base import Config, StageConfig


class Length(Config):
    """Bounds on a text's length; null means no bound."""

    unit: Literal["characters", "words"] = "characters"
    """What is counted."""

    minimum: int | None = Field(None, ge=0)
    """Shortest text kept (in `unit`)."""

    maximum: int | None = Field(None, ge=1)
    """Longest text kept (in `unit`)."""


class Keywords(Config):
    """Phrases matched as whole words in any case."""

    exclude: list[str] = []
    """A text that holds one of these phrases is dropped."""

    include: list[str] = []
    """A text that holds none of these phrases is dropped; an empty list asks for nothing."""


class Format(Config):
    """The shape a text must have."""

    must_match: str | None = None
    """Regular expression that must be found in the text."""

    must_not_match: str | None = None
    """Regular expression that must not be found in the text."""

    valid_json: bool = False
    """Drop texts that are not one JSON value."""

    ends_like_a_sentence: bool = False
    """Drop texts that do not end in . ! ? or a closing quote or bracket after one."""


class Quality(Config):
    """Published heuristics of text quality."""

    gopher_quality: bool = False
    """The quality rules of Gopher (Rae et al. 2021, table A1), meant for whole documents of 50 words and more."""

    gopher_repetition: bool = False
    """The repetition rules of Gopher (Rae et al. 2021, table A1)."""


class FilterConfig(StageConfig):
    """Drops rows by rule; the first rule that says no counts, and the ledger names all of them."""

    field: Literal["text", "instruction", "answer"] = "text"
    """Which text the rules look at: a document's `text`, or a sample's `instruction` or `answer`."""

    length: Length = Length()
    """Bounds on length."""

    keywords: Keywords = Keywords()
    """Phrases to exclude or demand."""

    format: Format = Format()
    """The shape a text must have."""

    quality: Quality = Quality()
    """Heuristics of text quality."""

    audit: bool = False
    """Drop nothing; count and report what the rules would have dropped."""
