"""Training rows as the plan lays them out, for tests that have no plan."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from datasets import Dataset

from contract.config.finetune import Training
from finetune.data import Row
from finetune.plan.lengths import Lengths, Tally
from finetune.rows import open_rows, write_rows


def laid_out(rows: Iterable[Row], training: Training) -> Dataset:
    """The rows as the trainer takes them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.arrow"
        write_rows(rows, path, training)
        return open_rows(path)


def measure(rows: Iterable[Row], training: Training, begin: int | None = None) -> Lengths:
    """What the plan counts of them."""
    tally = Tally(begin)
    with tempfile.TemporaryDirectory() as folder:
        return tally.lengths(write_rows(tally.learnable(rows), Path(folder) / "rows.arrow", training), training)
