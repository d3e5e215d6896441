"""Every contestant's answers as rows, for whoever compares them further."""

from collections.abc import Iterator

from contract.records import Message, Sample
from finetune.evaluate.answers import Said
from finetune.evaluate.comparison import Comparison

RUNAWAY = "runaway"
"""Tag of an answer that had not ended when it was cut off."""


def answer_rows(comparison: Comparison) -> Iterator[Sample]:
    """One row for each contestant and test instruction: the conversation with the contestant's answer in the place of
    the last one. `model` is the contestant's name, `parent_ids` the sample that was asked."""
    for contestant in comparison.contestants:
        for sample, said in zip(comparison.asked, contestant.measured.answers, strict=True):
            yield _row(contestant.name, sample, said)


def _row(name: str, sample: Sample, said: Said) -> Sample:
    last = max(place for place, message in enumerate(sample.messages) if message.role == "assistant")
    return Sample(
        id=f"{sample.id}-{name}",
        messages=[*sample.messages[:last], Message(role="assistant", content=said.text)],
        kind=sample.kind,
        parent_ids=[sample.id],
        source=sample.source,
        model=name,
        tags=[RUNAWAY] * said.runaway,
        split="test",
    )
