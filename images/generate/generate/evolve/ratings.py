"""Rating answers by aspects, and choosing the better and the worse one.

UltraFeedback (Cui et al. 2023, arXiv 2310.01377) rates the answers to one instruction together, aspect by aspect, 1 to
5 each, with a reason. An answer's rating is the mean of its aspects: the set's separate overall score was found to be
wrong for thousands of rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Annotated, Literal

from pydantic import Field, model_validator

from generate.choice import one_of
from generate.evolve.shapes import Shape

ASPECTS = ("instruction_following", "truthfulness", "honesty", "helpfulness")
RULES = {
    "tie": "no other answer is rated lower by `min_gap` or more",
    "one_answer": "fewer than two usable answers to compare",
}


class Rating(Shape):
    """One answer's rating by one aspect, the reason first."""

    answer: int
    rationale: str
    rating: Annotated[int, Field(ge=1, le=5)]


class Ratings(Shape):
    """The ratings of all answers by one aspect."""

    ratings: list[Rating]


@cache
def ratings_of(count: int) -> type[Ratings]:
    """The shape that holds exactly one rating for each of `count` answers."""

    class Exact(Ratings):
        @model_validator(mode="after")
        def _one_for_each(self) -> "Exact":
            numbers = sorted(rating.answer for rating in self.ratings)
            if numbers != list(range(1, count + 1)):
                raise ValueError(f"ratings of answers {numbers}; expected one for each of 1 to {count}")
            return self

    return Exact


@dataclass(frozen=True)
class Verdict:
    """The best answer's place, and that of the one set against it (None: `rule` says why)."""

    best: int
    other: int | None
    rule: str = ""


def means(ratings: Sequence[Mapping[str, int]]) -> list[float]:
    """The mean over aspects of each answer's ratings."""
    return [fmean(by_aspect.values()) for by_aspect in ratings]


def verdict(rated: Sequence[float], rejected: Literal["worst", "random"], min_gap: float, *draw: object) -> Verdict:
    """The best of some mean ratings (the first among equals) and another that is lower by `min_gap` or more."""
    best = max(range(len(rated)), key=lambda place: (rated[place], -place))
    lower = [place for place, mean in enumerate(rated) if rated[best] - mean >= min_gap]
    if not lower:
        return Verdict(best, None, "tie")
    if rejected == "random":
        return Verdict(best, one_of(lower, *draw))
    return Verdict(best, min(lower, key=lambda place: (rated[place], place)))
