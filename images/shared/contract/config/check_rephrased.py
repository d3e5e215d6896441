"""check_rephrased: ask a model about rows that may rephrase a benchmark item."""

from typing import Literal

from pydantic import Field

from contract.config.llm import LlmConfig


class CheckRephrasedConfig(LlmConfig):
    """Asks a model, yes or no, whether rows that `decontaminate` was unsure about (`rephrased.check`) rephrase the
    benchmark item that they resemble, and drops those that do."""

    prompt: str = "rephrased-1"
    """Name and version of the prompt file, without its ending."""

    temperature: float = Field(0, ge=0, le=2)
    """Sampling temperature (0 to 2)."""

    max_tokens: int = Field(300, ge=1, le=100_000)
    """Longest completion (tokens, 1 to 100,000)."""

    characters: int = Field(8_000, ge=100, le=1_000_000)
    """Most that is shown of a row and of an item (characters, 100 to 1,000,000): of a longer row the part that shares
    most words with the item, of a longer item its beginning."""

    unchecked: Literal["keep", "drop"] = "keep"
    """What becomes of a row on which the model brought no verdict, because it declined, failed, or the budget was
    spent."""
