"""learn_quality: train a fastText classifier of text quality from judged or reviewed samples."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import StageConfig


class LearnQualityConfig(StageConfig):
    """A supervised fastText model (Joulin et al. 2017) that tells good texts from others, for filter's `classifier`."""

    field: Literal["instruction", "answer", "conversation"] = "answer"
    """Which text it reads; filter uses it for the same one."""

    labels: Literal["scores", "decisions"] = "scores"
    """Who says what is good: a score of the samples, or reviewers."""

    score: str = ""
    """Name of the score, for `scores`."""

    high: float = 3.0
    """Least score of a good sample."""

    low: float = 3.0
    """Samples below this score are bad ones; those from here up to `high` teach nothing. At most `high`."""

    held_out: float = Field(0.2, ge=0.05, le=0.5)
    """Share of documents whose samples are kept for measuring (0.05 to 0.5)."""

    minimum_auc: float | None = Field(None, ge=0.5, le=1)
    """Least area under the ROC curve on what was held out (0.5 to 1) before the stage refuses; null demands none."""

    dimension: int = Field(16, ge=2, le=1_000)
    """Width of the vectors (2 to 1,000)."""

    ngram: int = Field(2, ge=1, le=5)
    """Longest word n-gram (1 to 5)."""

    buckets: int = Field(100_000, ge=1_000, le=10_000_000)
    """Room for n-grams (1,000 to 10,000,000); with `dimension` it makes the size of the file, 6 MB by default."""

    epochs: int = Field(25, ge=1, le=1_000)
    """Passes over the texts (1 to 1,000)."""

    learning_rate: float = Field(0.5, gt=0, le=10)
    """First learning rate (above 0, to 10)."""

    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Seed of the choice of what is held out, and of fastText (0 to 2,147,483,647)."""

    @model_validator(mode="after")
    def _score_named(self) -> Self:
        if (self.labels == "scores") != bool(self.score):
            need = "names no `score`" if not self.score else "takes no `score`"
            raise ValueError(f"labels {self.labels!r} {need}; expected one exactly with 'scores'")
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        return self
