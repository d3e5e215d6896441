"""filter: keep the rows that pass every rule."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import Config, Pattern, RowsConfig


class Length(Config):
    """Bounds on a text's length; null means no bound."""

    unit: Literal["characters", "words"] = "characters"
    """What is counted."""

    minimum: int | None = Field(None, ge=0)
    """Shortest text kept (in `unit`)."""

    maximum: int | None = Field(None, ge=1)
    """Longest text kept (in `unit`)."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self


class Keywords(Config):
    """Phrases matched as whole words in any case."""

    exclude: list[str] = []
    """A text that holds one of these phrases is dropped."""

    include: list[str] = []
    """A text that holds none of these phrases is dropped; an empty list asks for nothing."""


class Format(Config):
    """The shape a text must have."""

    must_match: Pattern | None = None
    """Regular expression that must be found in the text."""

    must_not_match: Pattern | None = None
    """Regular expression that must not be found in the text."""

    valid_json: bool = False
    """Drop texts that are not one JSON value."""

    ends_like_a_sentence: bool = False
    """Drop texts that do not end in . ! ? or a closing quote or bracket after one."""

    code_parses: bool = False
    """Drop texts with a Markdown code block marked `python` or `json` that does not parse."""


class Samples(Config):
    """Rules that only samples can break, whatever `field` says."""

    refusals: bool = False
    """Drop samples whose answer declines to answer ("I'm sorry, but I cannot...", "As an AI language model...")."""

    mentions_source: bool = False
    """Drop samples whose instruction speaks of the text it was made from ("the context", "this article")."""

    copies_instruction: float | None = Field(None, gt=0, le=1)
    """Drop samples whose answer repeats more than this share of the instruction in one run (0 to 1); null: off."""


class Quality(Config):
    """Published heuristics of text quality."""

    gopher_quality: bool = False
    """The quality rules of Gopher (Rae et al. 2021, table A1), meant for whole documents of 50 words and more."""

    gopher_repetition: bool = False
    """The repetition rules of Gopher (Rae et al. 2021, table A1)."""

    c4: bool = False
    """The document rules of C4 (Raffel et al. 2020, section 2.2)."""

    fineweb: bool = False
    """The rules that FineWeb added (Penedo et al. 2024, section 3.6)."""


class FilterConfig(RowsConfig):
    """Drops rows by rule; the first rule that says no counts, and the ledger names all of them."""

    field: Literal["text", "instruction", "answer", "conversation"] = "text"
    """Which text the rules look at: a document's `text`, a sample's `instruction` or `answer`, or all its messages."""

    length: Length = Length()
    """Bounds on length."""

    keywords: Keywords = Keywords()
    """Phrases to exclude or demand."""

    format: Format = Format()
    """The shape a text must have."""

    quality: Quality = Quality()
    """Heuristics of text quality."""

    samples: Samples = Samples()
    """Rules on a sample's instruction and answer."""

    licenses: list[str] | None = None
    """Licences allowed, in any case; a row of another or of none is dropped. Null allows all."""

    audit: bool = False
    """Drop nothing; count and report what the rules would have dropped."""
