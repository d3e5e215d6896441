"""Raw texts for continued pre-training, in the shape that all stages know: one text is what the assistant says."""

from collections.abc import Sequence
from hashlib import sha256

from contract.records import Chunk, Document, Message, Sample
from stagekit.dataset import Dataset

TEST_SHARE = 0.05


def read_raw(dataset: Dataset) -> list[Sample]:
    """The documents or chunks of a dataset as samples."""
    if dataset.record is Chunk:
        return raw_samples(list(dataset.records(Chunk)))
    return raw_samples(list(dataset.records(Document)))


def raw_samples(rows: Sequence[Document | Chunk]) -> list[Sample]:
    """Raw texts with their split, in order. The parts of one document stay on one side."""
    test = held_out({_document(row) for row in rows})
    return [_sample(row, _document(row) in test) for row in rows]


def held_out(ids: set[str]) -> set[str]:
    """A twentieth of the documents, and at least one of two: those with the lowest hashes, in whatever order they come.

    So a document that is added moves few others.
    """
    number = max(1, round(len(ids) * TEST_SHARE)) if len(ids) > 1 else 0
    return set(sorted(ids, key=lambda name: sha256(name.encode()).digest())[:number])


def _document(row: Document | Chunk) -> str:
    return row.document_id if isinstance(row, Chunk) else row.id


def _sample(row: Document | Chunk, test: bool) -> Sample:
    return Sample(
        id=row.id,
        messages=[Message(role="assistant", content=row.text)],
        document_id=_document(row),
        source=row.source,
        author=row.author,
        license=row.license,
        split="test" if test else "train",
    )
