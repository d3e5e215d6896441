"""How far reviewers agree, and what each of them did.

Per cent agreement is the mean over samples of the share of pairs of reviewers with the same verdict. Kappa corrects it
for chance: over all reviewers by the share of each verdict among all (Fleiss 1971, with samples of different numbers of
reviewers weighing the same), for two of them by each one's own habits (Cohen 1960).
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from contract.records import Decision

VERDICTS = ("accept", "reject", "edit")


def observed(ratings: Sequence[Sequence[str]]) -> float | None:
    """Mean share of agreeing pairs over samples of two reviewers or more; None without any."""
    shares = [_agreeing(Counter(votes)) for votes in ratings if len(votes) > 1]
    return sum(shares) / len(shares) if shares else None


def fleiss(ratings: Sequence[Sequence[str]]) -> float | None:
    """Kappa of many reviewers; None where nothing can be said, as when all verdicts are the same."""
    several = [votes for votes in ratings if len(votes) > 1]
    agreed = observed(several)
    if agreed is None:
        return None
    shares = Counter(verdict for votes in several for verdict in votes)
    chance = sum((number / shares.total()) ** 2 for number in shares.values())
    return _kappa(agreed, chance)


def cohen(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Kappa of two reviewers; None where nothing can be said."""
    if not pairs:
        return None
    agreed = sum(one == other for one, other in pairs) / len(pairs)
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    return _kappa(agreed, sum(ones[verdict] * others[verdict] for verdict in VERDICTS) / len(pairs) ** 2)


def report(votes: Sequence[Sequence[Decision]]) -> dict[str, Any]:
    """All of it as plain values, from the decisions about each sample."""
    ratings = [[decision.verdict for decision in some] for some in votes]
    return {
        "samples": len(votes),
        "samples_with_several_reviewers": sum(len(some) > 1 for some in votes),
        "agreement": rounded(observed(ratings)),
        "kappa": rounded(fleiss(ratings)),
        "pairs": _pairs(votes),
        "reviewers": _reviewers(votes),
        "checklist": _checklist(votes),
    }


def rounded(value: float | None) -> float | None:
    """Four digits are more than enough of a share."""
    return None if value is None else round(value, 4)


def _agreeing(verdicts: Counter[str]) -> float:
    many = verdicts.total()
    return sum(number * (number - 1) for number in verdicts.values()) / (many * (many - 1))


def _kappa(agreed: float, chance: float) -> float | None:
    return None if chance >= 1 else (agreed - chance) / (1 - chance)


def _pairs(votes: Sequence[Sequence[Decision]]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for some in votes:
        for one, other in combinations(sorted(some, key=lambda decision: decision.reviewer), 2):
            found.setdefault((one.reviewer, other.reviewer), []).append((one.verdict, other.verdict))
    return [
        {"reviewers": [*names], "samples": len(pairs), "agreement": rounded(observed(pairs)), "kappa": rounded(k)}
        for names, pairs in sorted(found.items())
        for k in (cohen(pairs),)
    ]


def _reviewers(votes: Sequence[Sequence[Decision]]) -> dict[str, dict[str, Any]]:
    found: dict[str, list[Decision]] = {}
    for decision in (decision for some in votes for decision in some):
        found.setdefault(decision.reviewer, []).append(decision)
    return {name: _work(decisions) for name, decisions in sorted(found.items())}


def _work(decisions: Sequence[Decision]) -> dict[str, Any]:
    verdicts: Counter[str] = Counter(decision.verdict for decision in decisions)
    seconds = [decision.seconds for decision in decisions if decision.seconds is not None]
    mean = sum(seconds) / len(seconds) if seconds else None
    return {"decisions": len(decisions), **{name: verdicts[name] for name in VERDICTS}, "mean_seconds": rounded(mean)}


def _checklist(votes: Sequence[Sequence[Decision]]) -> dict[str, dict[str, int]]:
    """For each statement, how many ticked it and how many said that it does not hold."""
    found: dict[str, Counter[bool]] = {}
    for decision in (decision for some in votes for decision in some):
        for statement, holds in decision.checklist.items():
            found.setdefault(statement, Counter())[holds] += 1
    return {statement: {"holds": each[True], "fails": each[False]} for statement, each in sorted(found.items())}
