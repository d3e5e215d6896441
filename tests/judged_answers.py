"""What the stage `judge` leaves of a comparison of answers, without a judge; and a judge with a planted rule."""

import json
from collections.abc import Mapping
from pathlib import Path

from contract.manifest import Cost
from contract.records import Sample
from published import publish

Counts = tuple[int, int, int, int]
"""Pairs won, tied, lost, and without a verdict."""


def write_judged(folder: Path, by_criterion: Mapping[str, Counts], missing: Mapping[str, int] | None = None) -> str:
    """A dataset of the judge with these counts; returns its URI."""
    facts = {
        "judges": [{"judge": "a-judge", "missing": dict(missing or {})}],
        "criteria": [_criterion(name, counts) for name, counts in by_criterion.items()],
    }
    rows = [Sample(id="s0-tuned", messages=[], model="tuned")]
    files = {"judge.json": json.dumps(facts), "judge.html": "<h1>Judges</h1>"}
    cost = Cost(requests=20, prompt_tokens=900, completion_tokens=100, money=0.25)
    return publish(folder, rows, files=files, cost=cost)


def _criterion(name: str, counts: Counts) -> dict:
    duels = _duels(counts)
    halves = [
        _duels(half) | {"kind": kind} for kind, half in zip(("evolved", "instruct"), _halves(counts), strict=True)
    ]
    return {
        "criterion": name,
        "question": f"Is it {name}?",
        "duels": duels | {"opponents": {"few_shot": sum(counts)}, "by_kind": halves},
        "orders": [{"consistency": 0.8}],
        "length": {"lean": 0.25},
        "gold": {"items": 40, "percent": 0.85},
    }


def _halves(counts: Counts) -> tuple[Counts, Counts]:
    first = tuple(number // 2 for number in counts)
    return first, tuple(number - half for number, half in zip(counts, first, strict=True))


def _duels(counts: Counts) -> dict:
    wins, ties, losses, undecided = counts
    decided = wins + ties + losses
    rate = (wins + ties / 2) / decided if decided else None
    return {
        "wins": wins,
        "ties": ties,
        "losses": losses,
        "unasked": 0,
        "undecided": undecided,
        "win_rate": rate,
        "win_rate_interval": None if rate is None else [max(0, rate - 0.2), min(1, rate + 0.2)],
    }


def prefers_length(shown) -> dict:
    """Takes the longer answer, whatever it says and wherever it stands; a rule that a test can count after."""
    first, second = len(shown.part("answer_a")), len(shown.part("answer_b"))
    return {"feedback": "As long as it is.", "better": "tie" if first == second else "A" if first > second else "B"}
