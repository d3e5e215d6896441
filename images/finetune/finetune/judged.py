"""What a judge said of the tuned model's answers beside its base's, as the stage `judge` wrote it down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract.failures import BadConfig
from stagekit.dataset import Dataset

JUDGE, REPORT, PAGE, VERDICTS = "judge", "judge.json", "judge.html", "judge/verdicts.jsonl"
UNASKED = ("no_answer", "no_opponent", "same_answer")
"""Rules of the judge under which nobody is asked; the outcome is known without, and counted."""
QUORUM = 0.5
"""Share of pairs that must have a verdict, and more, before the rest may speak for all: as in a jury of models."""
TITLES = {"base": "the base", "few_shot": "the base with examples"}


@dataclass(frozen=True)
class Pairs:
    """How pairs ended for the tuned model. `unasked` of them needed no judge, and to the `undecided` no verdict came;
    `win_rate` (0 to 1, ties counting half) and its 95 % `interval` (Wilson 1927) are None where nothing was decided."""

    wins: int
    ties: int
    losses: int
    unasked: int
    undecided: int
    win_rate: float | None
    interval: tuple[float, float] | None

    @property
    def number(self) -> int:
        """All of them."""
        return self.wins + self.ties + self.losses + self.undecided

    @property
    def decided(self) -> bool:
        """Whether there are verdicts enough to speak of a rate."""
        return self.number - self.undecided > QUORUM * self.number

    @property
    def rate(self) -> str:
        """The win rate with its interval, in words."""
        if self.win_rate is None or self.interval is None:
            return "none"
        low, high = self.interval
        return f"{percent(self.win_rate)} ({percent(low)} to {percent(high)})"


@dataclass(frozen=True)
class Criterion:
    """The pairs by one criterion, all and by kind of sample; and what the verdicts owe to order and length.

    `consistency` is the share of pairs with the same verdict in both orders (0 to 1, the mean over judges); `lean` the
    share of verdicts for the longer answer minus that for the shorter (-1 to 1); `agreement` the share of `gold` pairs
    on which the jury said what people said (0 to 1). None where there was nothing to see.
    """

    name: str
    question: str
    pairs: Pairs
    by_kind: tuple[tuple[str, Pairs], ...]
    consistency: float | None
    lean: float | None
    gold: int
    agreement: float | None


@dataclass(frozen=True)
class Judged:
    """A judge's whole comparison. `missing` are the verdicts that were asked for and did not come, by rule."""

    judges: tuple[str, ...]
    opponents: Mapping[str, int]
    criteria: tuple[Criterion, ...]
    missing: Mapping[str, int]

    @property
    def sentence(self) -> str:
        """What came out, with the numbers."""
        against = " and ".join(TITLES.get(name, name or "an unnamed model") for name in self.opponents) or "nobody"
        said = "; ".join(_said(criterion) for criterion in self.criteria)
        gone = ", ".join(f"{rule} {number}" for rule, number in self.missing.items())
        why = f" Verdicts that did not come: {gone}." if gone else ""
        return f"{' and '.join(self.judges)} on the tuned model's answers against those of {against}: {said}.{why}"

    def metrics(self) -> dict[str, float]:
        """The figures that are numbers, by the names of criteria."""
        found: dict[str, float | None] = {}
        for each in self.criteria:
            pairs, name = each.pairs, each.name
            found |= {f"{name}_wins": pairs.wins, f"{name}_ties": pairs.ties, f"{name}_losses": pairs.losses}
            found |= {f"{name}_undecided": pairs.undecided, f"{name}_win_rate": pairs.win_rate}
            low, high = pairs.interval or (None, None)
            found |= {f"{name}_win_rate_low": low, f"{name}_win_rate_high": high}
            found |= {f"{name}_order_consistency": each.consistency, f"{name}_length_lean": each.lean}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Gate:
    """Whether the gate opens, and each reason why it does not."""

    passed: bool
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "passed" if self.passed else "failed"


def read_judged(dataset: Dataset | None) -> Judged | None:
    """What the judge's dataset holds; None where nobody judged."""
    if dataset is None:
        return None
    facts = json.loads(dataset.file(REPORT).read_text(encoding="utf-8"))
    missing: dict[str, int] = {}
    for judge in facts["judges"]:
        for rule in judge["missing"].keys() - set(UNASKED):
            missing[rule] = missing.get(rule, 0) + judge["missing"][rule]
    return Judged(
        tuple(judge["judge"] for judge in facts["judges"]),
        facts["criteria"][0]["duels"]["opponents"],
        tuple(_criterion(each) for each in facts["criteria"]),
        dict(sorted(missing.items())),
    )


def spent(dataset: Dataset) -> dict[str, float]:
    """What judging took: requests, tokens, and US dollars where the price is known. It is no part of the result, since
    what was answered once costs nothing again."""
    cost = dataset.manifest.cost
    if cost is None:
        return {}
    found = {"judge_requests": cost.requests, "judge_tokens": cost.prompt_tokens + cost.completion_tokens}
    return found | ({} if cost.money is None else {"judge_money": cost.money})


def gate_of(evaluated: str, min_win_rate: float | None, judged: Judged | None) -> Gate:
    """The gate of `evaluate`, and the judge's part where the recipe asks for one. What the judge could not decide does
    not pass.

    Raises `BadConfig` where a win rate is asked for and nobody judged.
    """
    reasons = [] if evaluated == "passed" else ["the gate of evaluate failed"]
    if min_win_rate is not None:
        if judged is None:
            raise BadConfig(
                f"min_win_rate is {min_win_rate:g} but there is no input {JUDGE!r}",
                expected=f"--input {JUDGE}=URI, a judge's comparison of answers",
                where="register",
            )
        reasons += [reason for each in judged.criteria if (reason := _too_low(each, min_win_rate))]
    return Gate(not reasons, tuple(reasons))


def percent(share: float) -> str:
    """A share in per cent."""
    return f"{100 * share:.1f} %"


def _too_low(criterion: Criterion, least: float) -> str:
    pairs = criterion.pairs
    if not pairs.decided or pairs.win_rate is None:
        return f"{criterion.name}: verdicts on {pairs.number - pairs.undecided} of {pairs.number} pairs, too few to say"
    return f"{criterion.name}: win rate {percent(pairs.win_rate)} < {percent(least)}" if pairs.win_rate < least else ""


def _said(criterion: Criterion) -> str:
    pairs = criterion.pairs
    rate = f"win rate {pairs.rate}" if pairs.decided else "too few verdicts to say who is better"
    undecided = f", {pairs.undecided} undecided" if pairs.undecided else ""
    return f"{criterion.name}: {pairs.wins} won, {pairs.ties} tied, {pairs.losses} lost{undecided}, {rate}"


def _criterion(facts: Mapping[str, Any]) -> Criterion:
    seen = [order["consistency"] for order in facts["orders"] if order["consistency"] is not None]
    kinds = tuple((each["kind"], _pairs(each)) for each in facts["duels"]["by_kind"])
    return Criterion(
        name=facts["criterion"],
        question=facts["question"],
        pairs=_pairs(facts["duels"]),
        by_kind=kinds,
        consistency=sum(seen) / len(seen) if seen else None,
        lean=facts["length"]["lean"],
        gold=facts["gold"]["items"],
        agreement=facts["gold"]["percent"],
    )


def _pairs(facts: Mapping[str, Any]) -> Pairs:
    interval = facts["win_rate_interval"]
    counts = {name: facts[name] for name in ("wins", "ties", "losses", "unasked", "undecided")}
    return Pairs(**counts, win_rate=facts["win_rate"], interval=tuple(interval) if interval else None)
