"""What is judged: an answer to an instruction, with what it is compared with."""

from collections.abc import Sequence
from dataclasses import dataclass

from contract.records import Message, Preference, Sample

ROLES = {"system": "System", "user": "User", "assistant": "Assistant"}


@dataclass(frozen=True)
class Subject:
    """One answer. `reference` is the text that it was made from, `opponent` another answer; `model` and `rival` are who
    wrote the one and the other, `kind` is the sample's."""

    id: str
    instruction: str
    answer: str
    reference: str | None = None
    opponent: str | None = None
    model: str | None = None
    rival: str | None = None
    kind: str = ""


def subject_of(sample: Sample) -> Subject:
    """A sample's last answer, and everything said before it."""
    last = max((n for n, message in enumerate(sample.messages) if message.role == "assistant"), default=None)
    before = sample.messages[:last]
    answer = sample.messages[last].content if last is not None else ""
    return Subject(sample.id, spoken(before), answer, model=sample.model, kind=sample.kind)


def spoken(messages: Sequence[Message]) -> str:
    """A lone user message as it is; several messages each with its speaker's role."""
    if len(messages) == 1 and messages[0].role == "user":
        return messages[0].content
    return "\n\n".join(f"{ROLES[message.role]}: {message.content}" for message in messages)


Answer = tuple[str, str | None]
"""A text, and the model that wrote it where that is known."""


def answers_of(row: Sample | Preference) -> tuple[str, list[Answer]]:
    """The instruction of an opponent's row, and its answers, the better one first."""
    if isinstance(row, Preference):
        return spoken(row.messages), [(row.chosen, row.chosen_model), (row.rejected, row.rejected_model)]
    subject = subject_of(row)
    return subject.instruction, [(subject.answer, row.model)]


def wanted_answers(answers: Sequence[Answer], models: Sequence[str]) -> tuple[int, list[Answer]] | None:
    """Those answers that one of `models` gave, in the order of these, and the place of the first; None where there is
    none. Without `models` all are wanted."""
    if not models:
        return 0, list(answers)
    found = sorted((answer for answer in answers if answer[1] in models), key=lambda answer: models.index(answer[1]))
    return (models.index(found[0][1]), found) if found else None
