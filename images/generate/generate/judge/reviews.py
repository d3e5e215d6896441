"""Reviewers' decisions about samples as gold rows: accepted or rejected, by the majority of those who decided."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from contract.failures import BadInput
from contract.keys import KEY_LENGTH, digest
from contract.records import Message, Sample
from generate.judge.gold import GoldRow, Said
from generate.judge.subjects import Subject
from stagekit.dataset import Dataset

DECISIONS = "decisions"


class Decided(NamedTuple):
    """One reviewer's decision: about which sample, what it said then (empty where that is unknown), and when."""

    sample_id: str
    content: str
    reviewer: str
    verdict: str
    decided_at: str | None


def read_decisions(dataset: Dataset) -> list[Decided]:
    """All rows of a dataset of decisions. Raises `BadInput` for rows of another kind."""
    if dataset.manifest.record != "Decision":
        raise BadInput(f"rows of type {dataset.manifest.record}", expected="Decision", where=f"input {DECISIONS}")
    return [
        Decided(*(row[name] for name in Decided._fields))
        for batch in dataset.batches(columns=list(Decided._fields))
        for row in batch.to_pylist()
    ]


def reviewed(
    decisions: Sequence[Decided],
    samples: Iterable[Sample],
    criteria: Sequence[str],
    completed: Callable[[Sample], Subject],
) -> Iterator[GoldRow]:
    """One gold row for each sample that was decided about, and for each that is not there any more.

    A decision is about the sample that says what was looked at; where it does not tell that, about the one of its id.
    """
    by_content, by_id = _places(decisions)
    used: set[int] = set()
    for sample in samples if decisions else ():
        numbers = [*by_content.get(content_of(sample.messages), []), *by_id.get(sample.id, [])]
        mine = [number for number in dict.fromkeys(numbers) if number not in used]
        if mine:
            used |= set(mine)
            yield _row(completed(sample), [decisions[number] for number in sorted(mine)], criteria)
    lost = {each.sample_id for number, each in enumerate(decisions) if number not in used}
    for name in sorted(lost):
        yield GoldRow(name, rule="gold_without_text", detail="no sample says what was looked at")


def accepted(decisions: Sequence[Decided]) -> bool | None:
    """What reviewers said, the last word of each: None where accepts and rejects are even. An edit is neither: the
    sample was good enough to be mended, and not good enough as it was."""
    ordered = sorted(decisions, key=lambda each: each.decided_at or "")  # among equal times the later line counts
    verdicts = list({each.reviewer: each.verdict for each in ordered}.values())
    balance = verdicts.count("accept") - verdicts.count("reject")
    return balance > 0 if balance else None


def content_of(messages: Sequence[Message]) -> str:
    """The name of what a conversation says, as decisions keep it."""
    return digest([[message.role, message.content] for message in messages])[:KEY_LENGTH]


def _row(subject: Subject, decisions: Sequence[Decided], criteria: Sequence[str]) -> GoldRow:
    verdict = accepted(decisions)
    if verdict is None:
        return GoldRow(subject.id, rule="gold_undecided")
    return GoldRow(subject.id, subject, dict.fromkeys(criteria, Said("decision", float(verdict))))


def _places(decisions: Sequence[Decided]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    by_content: dict[str, list[int]] = defaultdict(list)
    by_id: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(decisions):
        if each.content:
            by_content[each.content].append(number)
        else:
            by_id[each.sample_id].append(number)
    return by_content, by_id
