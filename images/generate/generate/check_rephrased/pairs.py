"""The pairs of a row and the benchmark item that it may rephrase, as decontaminate left them for somebody to judge."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from contract.config.decontaminate import TO_CHECK
from contract.failures import BadInput
from stagekit.dataset import Dataset


@dataclass(frozen=True)
class Pair:
    """A row and an item; `score` is how sure the learned rule was that one rephrases the other (0 to 1)."""

    row: str
    benchmark: str
    number: int
    score: float
    item_text: str
    row_text: str

    @property
    def item(self) -> str:
        """How the ledger calls the item."""
        return f"{self.benchmark}:{self.number}"

    @property
    def name(self) -> str:
        """How the ledger calls the pair."""
        return f"{self.row}/{self.item}"


def pairs_file(rows: Dataset) -> Path:
    """The file of pairs of a dataset. Raises `BadInput` where it has none."""
    if not any(file.path == TO_CHECK for file in rows.manifest.files):
        raise BadInput(
            f"no {TO_CHECK}, so there is nothing to check",
            expected="a dataset of decontaminate with `rephrased.check` in its config",
            where=rows.uri,
        )
    return rows.file(TO_CHECK)


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs in order, one at a time."""
    with path.open("rb") as file:
        for line in file:
            said = orjson.loads(line)
            yield Pair(said["row"], said["benchmark"], said["item"], said["score"], said["item_text"], said["row_text"])
