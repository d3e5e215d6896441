"""What answers are compared with: the texts they were made from, and opponents' answers."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import orjson

from contract.failures import BadInput
from contract.keys import digest
from contract.records import Chunk, Document, LedgerEntry, Preference, Sample
from generate.judge.reviews import DECISIONS
from generate.judge.shelf import Shelf
from generate.judge.subjects import Subject, answers_of, subject_of
from stagekit.job import Job

ROWS, REFERENCES, OPPONENTS = "rows", "references", "opponents"
RULES = {
    "asked_by_no_row": "an opponent's answer to an instruction that no row has",
    "another_answer": "an opponent's further answer to an instruction; the first one is compared with",
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
        """The rows."""
        for dataset in self._job.inputs.get(ROWS, []):
            yield from dataset.records(Sample)

    def subjects(self) -> Iterator[Subject]:
        """The rows, each with its reference and opponent where there is one."""
        return map(self.completed, self.samples())

    def completed(self, sample: Sample) -> Subject:
        """One row with all there is to compare it with."""
        subject = subject_of(sample)
        return replace(subject, reference=self._reference(sample), opponent=self._opponent(subject))

    def named(self, ids: set[str]) -> dict[str, Subject]:
        """The rows of these ids."""
        return {sample.id: self.completed(sample) for sample in self.samples() if sample.id in ids} if ids else {}

    def _reference(self, sample: Sample) -> str | None:
        """The chunk, else the span of the document, else the whole document."""
        if not self._job.inputs.get(REFERENCES):
            return None
        if (text := self._shelf.get("Chunk", sample.chunk_id)) is not None:
            return text
        text = self._shelf.get("Document", sample.document_id)
        return text if text is None or sample.start is None else text[sample.start : sample.end]

    def _opponent(self, subject: Subject) -> str | None:
        if not self._job.inputs.get(OPPONENTS):
            return None
        found = self._shelf.get("opponent", digest(subject.instruction))
        return next((text for text in orjson.loads(found) if text != subject.answer), None) if found else None

    def _read_references(self) -> None:
        for dataset in self._job.inputs.get(REFERENCES, []):
            kind: type[Chunk] | type[Document] = Chunk if dataset.record is Chunk else Document
            texts = ((row.id, row.text) for row in dataset.records(kind))
            self._shelf.put(kind.__name__, texts)
            self._job.output.keep(REFERENCES, dataset.rows)

    def _read_opponents(self) -> None:
        """Shelve the first answer to each instruction, and book those that nothing is compared with."""
        self._shelf.put("instruction", ((digest(subject_of(row).instruction), "") for row in self.samples()))
        dataset = self._job.input(OPPONENTS)
        held: list[LedgerEntry] = []
        kind: type[Preference] | type[Sample] = Preference if dataset.record is Preference else Sample
        for row in dataset.records(kind):
            instruction, answers = answers_of(row)
            name = digest(instruction)
            if self._shelf.get("instruction", name) is None:
                held.append(_unused(row, "asked_by_no_row"))
            elif self._shelf.put("opponent", [(name, orjson.dumps(answers).decode())]):
                self._job.output.keep(OPPONENTS)
            else:
                held.append(_unused(row, "another_answer"))
            if len(held) >= 1_000:
                self._job.output.enter(held)
                held = []
        self._job.output.enter(held)


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
