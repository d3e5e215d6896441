"""instruct: write instruction and answer pairs for each chunk."""

from typing import Literal

from pydantic import Field

from contract.config.llm import LlmConfig


class InstructConfig(LlmConfig):
    """Back-translation: the chunk is the answer's substance; a model writes the instruction and rephrases."""

    provider: Literal["extractive", "openai"] = "extractive"
    """`openai` asks any server of that protocol; `extractive` uses no model but titles, key phrases and passages."""

    pairs: int = Field(5, ge=1, le=50)
    """Pairs asked for per chunk (1 to 50)."""

    prompt: str = "backtranslate-1"
    """Name and version of the prompt file, without its ending (openai only)."""
