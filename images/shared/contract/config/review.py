"""review: apply what people decided about samples, and draw those to be looked at next."""

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import RowsConfig

GUIDELINES = (
    "Accept a sample that you would give to a colleague as it is. Edit one that needs a small change, and write the "
    "whole answer as it should be. Reject what cannot be mended in two minutes."
)


class ReviewConfig(RowsConfig):
    """Drops rejected samples, replaces edited ones, and writes a stratified sample of the others for people to read."""

    sample: int = Field(100, ge=0, le=100_000)
    """Samples drawn for people (0 to 100,000), as many from each stratum as from any other where it has them. A
    stratum is a topic, a band of scores and a band of lengths; a sample stays drawn until enough people have decided,
    and a row that is added displaces one at most."""

    reviewers: int = Field(1, ge=1, le=100)
    """Reviewers wanted for each sample (1 to 100); one with fewer decisions can be drawn again."""

    topic: Literal["tag", "source", "author", "kind", "none"] = "tag"
    """What counts as a sample's topic: the first of its tags in the alphabet, its source, author or kind, or nothing.
    """

    score: str = ""
    """Name of the score whose bands are strata; empty: none."""

    score_bounds: list[float] = []
    """Where one band of scores ends and the next begins, ascending."""

    length_bounds: list[int] = [200, 1_000]
    """Where one band of answer lengths ends and the next begins (characters, ascending)."""

    rejected_by: Literal["majority", "any"] = "majority"
    """Who can reject a sample of several reviewers: more than half of them, or any one. Where it stays and somebody
    edited it, the latest edit replaces it."""

    unreviewed: Literal["keep", "drop"] = "keep"
    """What becomes of samples about which nobody decided."""

    checklist: list[str] = [
        "The answer does what the instruction asks",
        "Everything it says is right",
        "It is clear without its source",
    ]
    """Statements that a reviewer ticks where they hold."""

    guidelines: str = GUIDELINES
    """What reviewers are told."""

    seed: int = Field(0, ge=0, le=2**32 - 1)
    """Seed of the choice (0 to 4,294,967,295)."""

    @model_validator(mode="after")
    def _bounds_ascend(self) -> Self:
        for name in ("score_bounds", "length_bounds"):
            bounds = getattr(self, name)
            if any(low >= high for low, high in pairwise(bounds)):
                raise ValueError(f"{name} is {bounds}; expected ascending numbers")
        if self.score_bounds and not self.score:
            raise ValueError("score_bounds without a `score`; expected both or neither")
        return self

    @model_validator(mode="after")
    def _statements_differ(self) -> Self:
        if len(set(self.checklist)) < len(self.checklist) or not all(self.checklist):
            raise ValueError("checklist repeats a statement or has an empty one; expected different statements")
        return self
