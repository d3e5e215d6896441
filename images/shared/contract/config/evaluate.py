"""evaluate: is the tuned model better than its base, and what has it forgotten?"""

from typing import Self

from pydantic import Field, model_validator

from contract.config.base import Source, StageConfig


class GeneralText(Source):
    """General text that the model should not unlearn: `.jsonl`, `.csv` or `.parquet`, also `.gz`, `.zst` or `.bz2`."""

    text: str = Field("text", min_length=1)
    """Field that holds a row's text."""

    take: int = Field(200, ge=1, le=1_000_000)
    """Texts that are read, from the first on (1 to 1,000,000)."""


class EvaluateConfig(StageConfig):
    """Compares the tuned model with its base, unprompted and prompted with examples, on the test split."""

    generations: int = Field(20, ge=0, le=1_000)
    """Test instructions answered by all models and kept; style needs at least some dozens to mean anything."""

    max_new_tokens: int = Field(64, ge=1, le=32_768)
    """Longest answer generated (tokens)."""

    few_shot: int = Field(3, ge=0, le=64)
    """Examples from the train split before each question, as many of these as fit into `max_length`, for the base that
    the tuned model is held against (0 to 64); 0 leaves this out."""

    general: GeneralText | None = None
    """Text on which loss is measured before and after, to see what was forgotten; null leaves this out."""

    min_improvement: float = Field(0.0, ge=-100, le=100)
    """The gate passes when the base's test loss exceeds the tuned model's by more than this (nats per token)."""

    min_over_prompted: float | None = Field(None, ge=-100, le=100)
    """The gate also asks that the loss of the base with examples exceeds the tuned model's by more than this (nats per
    token); null asks for nothing."""

    max_forgetting: float | None = Field(None, ge=-100, le=100)
    """The gate also asks that the loss on `general` rises by no more than this (nats per token); null asks for
    nothing."""

    @model_validator(mode="after")
    def _what_the_gate_asks_is_measured(self) -> Self:
        if self.min_over_prompted is not None and not self.few_shot:
            raise ValueError(f"min_over_prompted is {self.min_over_prompted:g} but few_shot is 0: nothing to compare")
        if self.max_forgetting is not None and self.general is None:
            raise ValueError(f"max_forgetting is {self.max_forgetting:g} but no `general` text says on what")
        return self


def evaluate_sources(config: EvaluateConfig) -> list[Source]:
    """What evaluate reads beside its inputs."""
    return [config.general] if config.general else []
