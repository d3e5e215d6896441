"""Everything that the verdicts of one criterion add up to."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from generate.judge.agreement import Confusion
from generate.judge.biases import Line, Longer, Orders, doublings
from generate.judge.duels import Duels
from generate.judge.gold import Said
from generate.judge.jury import aggregate
from generate.judge.subjects import Subject
from generate.judge.verdicts import Side, Verdict

SCORES, PAIRS, DECISIONS = ("1", "2", "3", "4"), ("worse", "tie", "better"), ("reject", "accept")


def place_of(score: float, pairwise: bool) -> int:
    """The place of a score's label: a jury's mean counts as the nearest value, halves as the higher one."""
    if pairwise:
        return 1 + (score > 0.5) - (score < 0.5)
    return math.floor(score + 0.5) - 1


class Tally:
    """Counts of one criterion; memory does not grow with the rows."""

    def __init__(self, criterion: str, jurors: int, pairwise: bool, how: str, accept_at: float) -> None:
        self.criterion, self.pairwise, self._how, self._accept_at = criterion, pairwise, how, accept_at
        labels = PAIRS if pairwise else SCORES
        self.given = [0] * jurors
        self.missing: list[Counter[str]] = [Counter() for _ in range(jurors)]
        self.histogram = [0] * len(labels)
        self.without_quorum = 0
        self.jurors = {pair: Confusion(labels) for pair in combinations(range(jurors), 2)}
        self.scores, self.decisions = Confusion(labels), Confusion(DECISIONS)
        self.scores_by_juror = [Confusion(labels) for _ in range(jurors)]
        self.decisions_by_juror = [Confusion(DECISIONS) for _ in range(jurors)]
        self.orders = [Orders() for _ in range(jurors)]
        self.lengths, self.errors = Line(), Line()
        self.longer, self.longer_on_gold, self.longer_by_people = Longer(), Longer(), Longer()
        self.duels = Duels()

    def add(self, subject: Subject, verdicts: Sequence[Verdict]) -> float | None:
        """Take in the jury's verdicts on one row; returns its score."""
        self._add_jurors(verdicts)
        score = self.joint(verdicts)
        self.without_quorum += score is None
        self.duels.add(subject, score)
        if score is not None:
            length = length_of(subject, self.pairwise)
            self.lengths.add(length, score)
            self.histogram[place_of(score, self.pairwise)] += 1
            _add_sides(self.longer, verdicts, length)
        return score

    def add_gold(self, subject: Subject, verdicts: Sequence[Verdict], said: Said) -> bool:
        """Take in the jury's verdicts on an answer that people judged too; False where the jury had no score."""
        self._add_jurors(verdicts)
        score = self.joint(verdicts)
        if score is None:
            return False
        pairs = [(self._confusions(said)[0], score)]
        by_juror = self._confusions(said)[1]
        pairs += [(by_juror[each.juror], each.value) for each in verdicts if each.value is not None]
        for confusion, value in pairs:
            confusion.add(self._place(said, said.value, people=True), self._place(said, value, people=False))
        self._add_error(subject, verdicts, score, said)
        return True

    def joint(self, verdicts: Sequence[Verdict]) -> float | None:
        """The jury's one score."""
        return aggregate([each.value for each in verdicts], self._how)

    @property
    def against_people(self) -> tuple[Confusion, list[Confusion]]:
        """The jury, and each juror, against people, on whichever they said more of: scores or decisions."""
        by_decision = self.decisions.agreement.items > self.scores.agreement.items
        return (self.decisions, self.decisions_by_juror) if by_decision else (self.scores, self.scores_by_juror)

    def _add_jurors(self, verdicts: Sequence[Verdict]) -> None:
        for each in verdicts:
            self.given[each.juror] += each.value is not None
            if each.value is None:
                self.missing[each.juror][each.rule] += 1
        for (one, other), confusion in self.jurors.items():
            first, second = verdicts[one].value, verdicts[other].value
            if first is not None and second is not None:
                confusion.add(place_of(first, self.pairwise), place_of(second, self.pairwise))
        for each in verdicts:
            if len(each.sides) == 2:
                self.orders[each.juror].add((each.sides[0], each.sides[1]))

    def _add_error(self, subject: Subject, verdicts: Sequence[Verdict], score: float, said: Said) -> None:
        length = length_of(subject, self.pairwise)
        if said.kind == "score":
            self.errors.add(length, score - said.value)
        if self.pairwise:
            _add_sides(self.longer_on_gold, verdicts, length)
            people: Side = "tie" if said.value == 0.5 else "answer" if said.value else "opponent"
            self.longer_by_people.add(people, length)

    def _confusions(self, said: Said) -> tuple[Confusion, list[Confusion]]:
        return (
            (self.scores, self.scores_by_juror) if said.kind == "score" else (self.decisions, self.decisions_by_juror)
        )

    def _place(self, said: Said, value: float, people: bool) -> int:
        if said.kind == "score":
            return place_of(value, self.pairwise)
        return int(value if people else value >= self._accept_at)


def _add_sides(longer: Longer, verdicts: Sequence[Verdict], length: float) -> None:
    for side in (side for each in verdicts for side in each.sides):
        longer.add(side, length)


def length_of(subject: Subject, pairwise: bool) -> float:
    """Length of an answer in doublings; of a pair, over the opponent's."""
    return doublings(subject.answer, (subject.opponent or "") if pairwise else "")
