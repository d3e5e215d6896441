"""Samples or raw texts as training rows: token ids with labels, cut to length, every loss of text counted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from typing import Any

from contract.config.finetune import Training
from contract.failures import BadInput
from contract.records import Sample
from finetune.chat import RAW, Encoded, encode_all
from finetune.raw import read_raw
from stagekit.dataset import Dataset

IGNORED = -100


@dataclass(frozen=True)
class Row:
    """One sample as the trainer gets it: `labels` holds token ids to learn, and `IGNORED` elsewhere.

    `length` counts its tokens before it was cut to `max_length`; `ended` is false where the cut took its last learned
    token, without which it does not teach to stop.
    """

    id: str
    ids: list[int]
    labels: list[int]
    length: int
    ended: bool = True

    @property
    def truncated(self) -> bool:
        """Whether its end was cut off."""
        return self.length > len(self.ids)

    @property
    def targets(self) -> int:
        """Tokens it is learned from; the first token of a row has nothing to be predicted from."""
        learned = self.labels[1:]
        return len(learned) - learned.count(IGNORED)


def read_splits(dataset: Dataset) -> tuple[list[Sample], list[Sample]]:
    """The train and the test split of a published dataset, or of raw texts.

    Raises `BadInput` when either is empty, or when rows carry no split.
    """
    samples = list(dataset.records(Sample)) if dataset.record is Sample else read_raw(dataset)
    train = [sample for sample in samples if sample.split == "train"]
    test = [sample for sample in samples if sample.split == "test"]
    for name, part in (("train", train), ("test", test)):
        if not part:
            raise BadInput(
                f"the {name} split is empty: {len(train)} train and {len(test)} test of {len(samples)} samples",
                expected="samples on both sides",
                where=dataset.uri,
                hint="publish more samples, or raise `publish.test_share`",
            )
    return train, test


def encode_rows(tokenizer: Any, samples: Iterable[Sample], training: Training) -> list[Row]:
    """Training rows of samples, in order; one with nothing left to learn stays in, with `targets` 0.

    A raw text longer than `max_length` becomes several rows, of which none is cut.
    """
    return list(stream_rows(tokenizer, samples, training))


def stream_rows(tokenizer: Any, samples: Iterable[Sample], training: Training) -> Iterator[Row]:
    """The same rows one by one, of which never more than a few batches are in memory."""
    return (row for _, row in with_samples(tokenizer, samples, training))


def with_samples(tokenizer: Any, samples: Iterable[Sample], training: Training) -> Iterator[tuple[Sample, Row]]:
    """The same rows, each with its sample."""
    samples, spoken = tee(samples)
    encoded = encode_all(tokenizer, (sample.messages for sample in spoken))
    for sample, conversation in zip(samples, encoded, strict=True):
        if training.template == RAW:
            yield from ((sample, piece) for piece in _pieces(sample, conversation, training.max_length))
        else:
            yield sample, _row(sample, conversation, training)


def check_kind(dataset: Dataset, training: Training) -> None:
    """Raises `BadInput` where conversations are to be trained as raw text, or raw text as conversations."""
    if (dataset.record is Sample) == (training.template == RAW):
        raise BadInput(
            f"rows of type {dataset.manifest.record} with `template: {training.template}`",
            expected=f"samples with a chat template, or documents or chunks with `template: {RAW}`",
            where=dataset.uri,
            hint="see `training.template`",
        )


def learnable(rows: Sequence[Row]) -> list[Row]:
    """Rows that have something to learn."""
    return [row for row in rows if row.targets]


def _row(sample: Sample, encoded: Encoded, training: Training) -> Row:
    ids = encoded.ids[: training.max_length]
    said = [(0, len(encoded.ids))] if training.loss_on == "everything" else encoded.said
    labels = [IGNORED] * len(ids)
    for first, end in said:
        labels[first:end] = ids[first:end]
    last = max((end for first, end in said if first < end), default=0)
    return Row(sample.id, ids, labels, len(encoded.ids), ended=last <= training.max_length)


def _pieces(sample: Sample, encoded: Encoded, length: int) -> Iterator[Row]:
    for number, start in enumerate(range(0, len(encoded.ids), length)):
        part = encoded.ids[start : start + length]
        yield Row(f"{sample.id}#{number}", part, part, len(part), ended=True)
