"""Which decisions of reviewers speak of which sample, and what they come to.

A decision finds its sample by what was looked at (`content`), so that it survives a night in which ids moved; one that
does not say what it looked at finds it by id. An id whose text has changed since is another sample.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from contract.records import Decision, Sample, conversation_key

Fate = Literal["applied", "superseded", "text_changed", "unmatched"]
APPLIED: Fate = "applied"
UNUSED: dict[Fate, str] = {
    "superseded": "the same reviewer decided about this sample again, later",
    "text_changed": "the sample of that id says something else by now",
    "unmatched": "no sample has that id or says what was looked at",
}


class Votes(NamedTuple):
    """The decisions about one sample, one of each reviewer, in the order in which they were made."""

    decisions: tuple[Decision, ...]

    @property
    def rejects(self) -> int:
        """How many reject it."""
        return sum(decision.verdict == "reject" for decision in self.decisions)

    @property
    def edit(self) -> Decision | None:
        """The latest edit, if there is one."""
        return next((each for each in reversed(self.decisions) if each.verdict == "edit"), None)

    def rejected(self, by_any: bool) -> bool:
        """Whether the sample goes: by any reviewer's word, or by that of more than half of them."""
        return self.rejects > 0 if by_any else 2 * self.rejects > len(self.decisions)


class Decisions:
    """All decisions, to be asked about one sample after another; remembers what became of each of them."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self.all = list(decisions)
        self.fates: list[Fate] = ["unmatched"] * len(self.all)
        self._by_content: dict[str, list[int]] = defaultdict(list)
        self._by_id: dict[str, list[int]] = defaultdict(list)
        for number, decision in enumerate(self.all):
            if decision.content:
                self._by_content[decision.content].append(number)
            self._by_id[decision.sample_id].append(number)

    def about(self, sample: Sample) -> Votes | None:
        """The decisions about a sample, the last one of each reviewer; None where there are none."""
        if not self.all:
            return None
        content = conversation_key(sample.messages)
        same_id = self._by_id.get(sample.id, [])
        numbers = {*self._by_content.get(content, []), *(n for n in same_id if not self.all[n].content)}
        self._mark([number for number in same_id if number not in numbers], "text_changed")
        if not numbers:
            return None
        ordered = sorted(numbers, key=self._moment)
        last = {self.all[number].reviewer: number for number in ordered}
        standing = [number for number in ordered if last[self.all[number].reviewer] == number]
        self._mark([number for number in ordered if number not in standing], "superseded")
        self._mark(standing, APPLIED)
        return Votes(tuple(self.all[number] for number in standing))

    def _moment(self, number: int) -> tuple[str, int]:
        """When a decision was made: by its time, and among those without one by its place."""
        return self.all[number].decided_at or "", number

    def _mark(self, numbers: Sequence[int], fate: Fate) -> None:
        """A decision that applies to one sample has applied, whatever it is to others."""
        for number in numbers:
            if RANK[fate] > RANK[self.fates[number]]:
                self.fates[number] = fate


RANK: dict[Fate, int] = {"unmatched": 0, "text_changed": 1, "superseded": 2, "applied": 3}
