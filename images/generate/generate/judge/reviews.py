"""Reviewers' decisions about samples as gold rows: accepted or rejected, by the majority of those who decided."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from contract.records import Decision, LedgerEntry, Sample, conversation_key
from generate.judge.gold import GoldRow, Said
from generate.judge.subjects import Subject

DECISIONS = "decisions"
RULES = {"decided_about_no_row": "a decision about a text that no row has"}


class Reviews:
    """Decisions put to the samples that they are about.

    A decision is about the sample that says what was looked at; where it does not tell that, about the one of its id.
    """

    def __init__(
        self,
        decisions: Sequence[Decision],
        samples: Iterable[Sample],
        criteria: Sequence[str],
        completed: Callable[[Sample], Subject],
    ) -> None:
        by_content, by_id = _places(decisions)
        left = dict(enumerate(decisions))
        self.rows: list[GoldRow] = []
        for sample in samples:
            numbers = by_content.get(conversation_key(sample.messages), []) + by_id.get(sample.id, [])
            about = [left.pop(number) for number in sorted(numbers) if number in left]
            if about:
                self.rows.append(_row(completed(sample), about, criteria))
        self.lost = list(left.values())
        self.used = len(decisions) - len(self.lost)

    def entries(self) -> list[LedgerEntry]:
        """The ledger's lines for decisions that are about no sample."""
        return [
            LedgerEntry(
                account=DECISIONS,
                status="dropped",
                rule="decided_about_no_row",
                id=each.id,
                partner=each.sample_id,
                row=each.model_dump_json(),
            )
            for each in self.lost
        ]


def accepted(decisions: Sequence[Decision]) -> bool | None:
    """What reviewers said, the last word of each: None where accepts and rejects are even. An edit is neither: the
    sample was good enough to be mended, and not good enough as it was."""
    ordered = sorted(decisions, key=lambda each: each.decided_at or "")  # among equal times the later line counts
    verdicts = list({each.reviewer: each.verdict for each in ordered}.values())
    balance = verdicts.count("accept") - verdicts.count("reject")
    return balance > 0 if balance else None


def _row(subject: Subject, decisions: Sequence[Decision], criteria: Sequence[str]) -> GoldRow:
    verdict = accepted(decisions)
    if verdict is None:
        return GoldRow(subject.id, rule="gold_undecided")
    return GoldRow(subject.id, subject, dict.fromkeys(criteria, Said("decision", float(verdict))))


def _places(decisions: Sequence[Decision]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    by_content: dict[str, list[int]] = defaultdict(list)
    by_id: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(decisions):
        if each.content:
            by_content[each.content].append(number)
        else:
            by_id[each.sample_id].append(number)
    return by_content, by_id
