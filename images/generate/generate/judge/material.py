"""What answers are compared with: the texts they were made from, and opponents' answers."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import orjson

from contract.config.judge import JudgeConfig
from contract.failures import BadInput
from contract.keys import digest
from contract.records import Chunk, Document, LedgerEntry, Preference, Sample
from generate.judge.reviews import DECISIONS
from generate.judge.shelf import Shelf
from generate.judge.subjects import Answer, Subject, answers_of, subject_of, wanted_answers
from stagekit.job import Job

ROWS, REFERENCES, OPPONENTS = "rows", "references", "opponents"
HELD = 1_000
RULES = {
    "asked_by_no_row": "an opponent's answer to an instruction that no row has",
    "another_answer": "an opponent's further answer to an instruction; the first one is compared with",
    "not_wanted": "an answer by another model than `opponents_by` names",
}


class Material:
    """Completes subjects."""

    def __init__(self, job: Job, shelf: Shelf) -> None:
        self._job, self._shelf = job, shelf
        for name, description in RULES.items():
            job.output.rule(name, description)
        self._read_references()
        if job.inputs.get(OPPONENTS):
            self._read_opponents()

    def samples(self) -> Iterator[Sample]:
        """The rows that are judged."""
        for dataset in self._job.inputs.get(ROWS, []):
            yield from (sample for sample in dataset.records(Sample) if is_judged(sample, self._job.config))

    @cached_property
    def judged(self) -> int:
        """How many rows are judged."""
        if self._job.config.answers_by:
            return sum(1 for _ in self.samples())
        return sum(dataset.rows for dataset in self._job.inputs.get(ROWS, []))

    def subjects(self) -> Iterator[Subject]:
        """The rows, each with its reference and opponent where there is one."""
        return map(self.completed, self.samples())

    def completed(self, sample: Sample) -> Subject:
        """One row with all there is to compare it with."""
        subject = subject_of(sample)
        opponent, rival = self._opponent(subject)
        return replace(subject, reference=self._reference(sample), opponent=opponent, rival=rival)

    def named(self, ids: set[str]) -> dict[str, Subject]:
        """The rows of these ids."""
        return {sample.id: self.completed(sample) for sample in self.samples() if sample.id in ids} if ids else {}

    def _reference(self, sample: Sample) -> str | None:
        """The answer of the sample that it answers anew, else the chunk, the span of the document, the whole of it."""
        if not self._job.inputs.get(REFERENCES):
            return None
        answers = (self._shelf.get("Sample", parent) for parent in sample.parent_ids)
        if (text := next((answer for answer in answers if answer is not None), None)) is not None:
            return text
        if (text := self._shelf.get("Chunk", sample.chunk_id)) is not None:
            return text
        text = self._shelf.get("Document", sample.document_id)
        return text if text is None or sample.start is None else text[sample.start : sample.end]

    def _opponent(self, subject: Subject) -> Answer | tuple[None, None]:
        """An answer that is not the very same, or else that one, and who wrote it."""
        found = self._shelf.get("opponent", digest(subject.instruction)) if self._job.inputs.get(OPPONENTS) else None
        answers: list[Answer] = [(text, model) for text, model in orjson.loads(found)] if found else []
        others = [answer for answer in answers if answer[0] != subject.answer]
        return next(iter([*others, *answers]), (None, None))

    def _read_references(self) -> None:
        for dataset in self._job.inputs.get(REFERENCES, []):
            kind = dataset.record
            assert kind
            if kind is Sample:
                self._shelf.put("Sample", ((row.id, subject_of(row).answer) for row in dataset.records(Sample)))
            else:
                whole: type[Chunk] | type[Document] = Chunk if kind is Chunk else Document
                self._shelf.put(kind.__name__, ((row.id, row.text) for row in dataset.records(whole)))
            self._job.output.keep(REFERENCES, dataset.rows)

    def _read_opponents(self) -> None:
        """Shelve for each instruction the first answer of the model that comes first in `opponents_by`, and book those
        that nothing is compared with."""
        self._shelf.put("instruction", ((digest(subject_of(row).instruction), "") for row in self.samples()))
        held: list[LedgerEntry] = []
        for place in range(max(1, len(self._job.config.opponents_by))):
            for row, name, answers in self._answers_at(place):
                if rule := self._shelve(name, answers):
                    held.append(_unused(row, rule))
                else:
                    self._job.output.keep(OPPONENTS)
                if len(held) >= HELD:
                    self._job.output.enter(held)
                    held = []
        self._job.output.enter(held)

    def _answers_at(self, place: int) -> Iterator[tuple[Sample | Preference, str, list[Answer]]]:
        """Rows of opponents whose best answer has that place among the wanted ones, with the name of what they answer;
        those with no wanted answer come first of all, with none."""
        dataset = self._job.input(OPPONENTS)
        kind: type[Preference] | type[Sample] = Preference if dataset.record is Preference else Sample
        for row in dataset.records(kind):
            instruction, answers = answers_of(row)
            standing, wanted = wanted_answers(answers, self._job.config.opponents_by) or (0, [])
            if standing == place:
                yield row, digest(instruction), wanted

    def _shelve(self, name: str, answers: list[Answer]) -> str:
        """Put answers beside what they answer; returns the rule by which nothing is compared with them, if any."""
        if not answers:
            return "not_wanted"
        if self._shelf.get("instruction", name) is None:
            return "asked_by_no_row"
        return "" if self._shelf.put("opponent", [(name, orjson.dumps(answers).decode())]) else "another_answer"


def is_judged(sample: Sample, config: JudgeConfig) -> bool:
    """Whether a row is by the model whose answers are judged."""
    return not config.answers_by or sample.model == config.answers_by


@contextmanager
def material_of(job: Job) -> Iterator[Material]:
    """The material of a job, on disk while it is needed."""
    with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
        shelf = Shelf(Path(folder))
        try:
            yield Material(job, shelf)
        finally:
            shelf.close()


def check_material(job: Job, compares_with_reference: list[str]) -> None:
    """Refuse at once what could give no verdict at all. Raises `BadInput`."""
    if job.inputs.get(ROWS) and compares_with_reference and not job.inputs.get(REFERENCES):
        raise BadInput(
            f"no references, but {', '.join(compares_with_reference)} compares with one",
            expected="--input references=URI, the chunks or documents that the samples were made from",
            where=job.stage.name,
        )
    opponents = bool(job.inputs.get(OPPONENTS)) + (job.config.opponent is not None)
    if job.inputs.get(ROWS) and job.config.method == "pairwise" and opponents != 1:
        raise BadInput(
            "both an input `opponents` and the config's `opponent`" if opponents else "nobody to compare with",
            expected="--input opponents=URI or `opponent` in the config",
            where=f"{job.stage.name} of pairs",
        )
    if job.inputs.get(DECISIONS) and job.config.method == "pairwise":
        raise BadInput(
            "an input `decisions`", expected="`method: absolute`, as people saw no pairs", where=job.stage.name
        )
    if job.inputs.get(OPPONENTS) and job.config.method != "pairwise":
        raise BadInput("an input `opponents`", expected="`method: pairwise` in the config", where=job.stage.name)


def _unused(row: Sample | Preference, rule: str) -> LedgerEntry:
    text = orjson.dumps(row.model_dump()).decode()
    return LedgerEntry(account=OPPONENTS, status="dropped", rule=rule, id=row.id, row=text)
