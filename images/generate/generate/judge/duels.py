"""Pairs as a contest: won, tied and lost, and what can be said of the side that is judged. No model."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from generate.judge.agreement import wilson
from generate.judge.subjects import Subject
from generate.judge.verdicts import VALUE, Side


@dataclass
class Record:
    """How pairs ended, for the answers that are judged. `unasked` of them needed no judge; for those `undecided` there
    is no verdict, and they count neither way."""

    wins: int = 0
    ties: int = 0
    losses: int = 0
    unasked: int = 0
    undecided: int = 0

    @property
    def decided(self) -> int:
        """Pairs with an outcome."""
        return self.wins + self.ties + self.losses

    @property
    def win_rate(self) -> float | None:
        """Share won, ties counting half (0 to 1)."""
        return (self.wins + self.ties / 2) / self.decided if self.decided else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the win rate."""
        return wilson(self.wins + self.ties / 2, self.decided) if self.decided else None

    def add(self, score: float | None, unasked: bool) -> None:
        """Count one pair: a jury's mean above a half is a win."""
        self.unasked += unasked
        if score is None:
            self.undecided += 1
        elif score == VALUE["tie"]:
            self.ties += 1
        else:
            self.wins += score > VALUE["tie"]
            self.losses += score < VALUE["tie"]


@dataclass
class Duels:
    """All pairs, and those of each kind of sample."""

    whole: Record = field(default_factory=Record)
    by_kind: dict[str, Record] = field(default_factory=lambda: defaultdict(Record))
    rivals: Counter[str] = field(default_factory=Counter)

    def add(self, subject: Subject, score: float | None) -> None:
        """Take in a pair with the jury's score, or None where there is none."""
        side = unasked(subject)
        for record in (self.whole, self.by_kind[subject.kind]):
            record.add(VALUE[side] if side else score, bool(side))
        if subject.opponent is not None:
            self.rivals[subject.rival or ""] += 1

    def kinds(self) -> Iterator[tuple[str, Record]]:
        """Kinds by name."""
        yield from sorted(self.by_kind.items())


def unasked(subject: Subject) -> Side | None:
    """The outcome of a pair that needs no judge: the very same text is a tie, and nothing at all loses."""
    if subject.opponent is None:
        return None
    ours, theirs = subject.answer.strip(), subject.opponent.strip()
    if ours == theirs:
        return "tie"
    if not ours:
        return "opponent"
    return None if theirs else "answer"
