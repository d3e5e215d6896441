"""UltraFeedback for one instruction: rate its answers, keep the best, set a worse one against it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from contract.config.evolve import Compare
from contract.records import Preference, Sample
from generate.choice import point
from generate.evolve.answers import Answer
from generate.evolve.fate import KEPT, Fate, unanswered
from generate.evolve.how import How
from generate.evolve.ratings import ASPECTS, means, ratings_of, verdict
from generate.llm.asker import Asker

Ratings: TypeAlias = list[dict[str, int]]
"""Of each answer: its rating by each aspect."""
MEAN = "rating"
"""The score that holds an answer's mean rating."""


@dataclass(frozen=True)
class Comparison:
    """What came of comparing the answers to one instruction: the best, its scores, and perhaps a preference."""

    best: Answer
    scores: dict[str, float]
    pair: tuple[Answer, Answer] | None = None
    ratings: tuple[float, float] = (0.0, 0.0)
    fate: Fate = KEPT

    def preference(self, sample: Sample) -> Preference | None:
        """The preference between two answers to a sample's instruction, under that sample's id."""
        if self.pair is None:
            return None
        chosen, rejected = self.pair
        return Preference(
            id=sample.id,
            messages=sample.messages[:-1],
            chosen=chosen.text,
            rejected=rejected.text,
            chosen_rating=self.ratings[0],
            rejected_rating=self.ratings[1],
            chosen_model=chosen.model,
            rejected_model=rejected.model,
        )


async def compare(ask: Asker, how: How, instruction: str, answers: Sequence[Answer], draw: str) -> Comparison:
    """Rate one or more usable answers and choose; `draw` names the choice, so that equal names draw alike.

    Where the judge brings no rating for each, nothing is rated: the first answer is kept, without scores.
    """
    assert how.config.compare
    if len(answers) < 2:
        return Comparison(answers[0], {}, fate=Fate("dropped", "one_answer"))
    ratings = await _rate(ask, how, instruction, [answer.text for answer in answers], draw)
    if ratings is None:
        return Comparison(answers[0], {}, fate=unanswered(ask.last))
    return _decided(how.config.compare, answers, ratings, (draw, how.config.seed))


def _decided(config: Compare, answers: Sequence[Answer], ratings: Ratings, draw: tuple[object, ...]) -> Comparison:
    rated = means(ratings)
    found = verdict(rated, config.rejected, config.min_gap, "rejected", *draw)
    best = answers[found.best]
    scores = {**{name: float(value) for name, value in ratings[found.best].items()}, MEAN: rated[found.best]}
    if found.other is None:
        return Comparison(best, scores, fate=Fate("dropped", found.rule, f"{rated[found.best]:.2f}"))
    return Comparison(best, scores, (best, answers[found.other]), (rated[found.best], rated[found.other]))


async def _rate(ask: Asker, how: How, instruction: str, texts: list[str], draw: str) -> Ratings | None:
    """One request for each aspect. Answers are shown in an order drawn anew each time, against a liking for places."""
    assert how.config.compare
    assert how.rubrics
    judge = replace(ask, reask=how.rubrics.reask)
    ratings: Ratings = [{} for _ in texts]
    for aspect in ASPECTS:
        order = sorted(range(len(texts)), key=lambda place: point("order", draw, aspect, place, how.config.seed))
        question = how.rubrics.question(aspect, instruction, [texts[place] for place in order])
        said = await judge(question, ratings_of(len(texts)), how.config.compare.judge)
        if said is None:
            return None
        for rating in said.ratings:
            ratings[order[rating.answer - 1]][aspect] = rating.rating
    return ratings
