"""All rows that are compared with each other: those of other datasets first, then the ones to be judged."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from stagekit.dataset import Dataset


@dataclass(frozen=True)
class Corpus:
    """Rows are numbered through all datasets; `others` come first."""

    others: list[Dataset]
    own: Dataset

    @property
    def first_own(self) -> int:
        """Number of the first row to be judged."""
        return sum(dataset.rows for dataset in self.others)

    @property
    def rows(self) -> int:
        """Number of all rows."""
        return self.first_own + self.own.rows

    def starts(self) -> Iterator[tuple[int, Dataset]]:
        """Each dataset with the number of its first row."""
        first_row = 0
        for dataset in [*self.others, self.own]:
            yield first_row, dataset
            first_row += dataset.rows

    def batches(self, columns: list[str] | None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The batches of all datasets, each with the number of its first row."""
        for first_row, dataset in self.starts():
            yield from numbered(dataset, first_row, columns)


def numbered(dataset: Dataset, first_row: int, columns: list[str] | None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches of one dataset with the number of their first row."""
    for batch in dataset.batches(columns=columns):
        yield first_row, batch
        first_row += batch.num_rows
