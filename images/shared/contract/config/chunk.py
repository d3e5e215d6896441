"""chunk: cut documents into extracts."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import RowsConfig


class ChunkConfig(RowsConfig):
    """Joins whole sentences, or Markdown blocks, into extracts of bounded length."""

    strategy: Literal["sentences", "markdown"] = "sentences"
    """`sentences` cuts after . ? or !; `markdown` keeps headings, paragraphs, lists and code blocks whole."""

    minimum: int = Field(1_000, ge=1, le=1_000_000)
    """Shortest extract kept (characters, 1 to 1,000,000); a shorter one goes to the ledger."""

    maximum: int = Field(2_000, ge=1, le=1_000_000)
    """Longest extract made by joining (characters, 1 to 1,000,000)."""

    oversize: Literal["keep", "cut"] = "keep"
    """A sentence or block that alone is above `maximum`: `keep` it whole, or `cut` it at a line end or space."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")
        return self
