"""The dataset that a stage is writing: rows, ledger, files, figures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel

from contract.manifest import PREVIEW, Cost, File, Shard, Status
from contract.records import LedgerEntry, Record
from stagekit.accounts import Books
from stagekit.checksums import file_sha256
from stagekit.destination import Destination
from stagekit.hashing import ContentHash
from stagekit.preview import PreviewKeeper
from stagekit.schema import arrow_schema, ledger_batch, rows_as_json, to_batch
from stagekit.shards import ShardWriter

PerRow: TypeAlias = Sequence[Any] | npt.NDArray[Any] | pa.Array | str | float | None
"""One value per row of a batch, or one for all of them."""


class Output:
    """Everything a stage may write. Row order is part of the result: write in a deterministic order."""

    def __init__(self, place: Destination, record: type[Record] | None, shard_rows: int) -> None:
        self.record = record
        self.schema = arrow_schema(record) if record else pa.schema([])
        self.books = Books()
        self.files: list[File] = []
        self.metrics: dict[str, float | int | str | None] = {}
        self.links: dict[str, str] = {}
        self.cost: Cost | None = None
        self.rows = 0
        self._place = place
        self._hash = ContentHash(self.schema)
        self._preview = PreviewKeeper()
        self._kept = ShardWriter(place.workdir, "data", self.schema, shard_rows, self._closed)
        self._ledger = ShardWriter(place.workdir, "dropped", arrow_schema(LedgerEntry), shard_rows, self._closed)

    @property
    def workdir(self) -> Path:
        """A local folder for files in the making; `add_file` takes them from there."""
        return self._place.workdir

    def rule(self, name: str, description: str) -> None:
        """Describe a counter in one line; do it before the first row is booked under it."""
        self.books.rules[name] = description

    def write(self, rows: pa.RecordBatch | Iterable[BaseModel], account: str | None = None) -> None:
        """Append rows of the output's record; with `account`, each also counts as one kept entry of that account."""
        assert self.record, "this stage writes no rows"
        batch = rows if isinstance(rows, pa.RecordBatch) else to_batch(rows, self.record)
        if batch.schema != self.schema:
            batch = pa.RecordBatch.from_arrays(batch.columns, schema=self.schema)
        self._hash.update(batch)
        self._preview.kept(batch)
        self._kept.write(batch)
        self.rows += batch.num_rows
        if account:
            self.keep(account, batch.num_rows)

    def keep(self, account: str, number: int = 1) -> None:
        """Book entries that went on, where rows out are not rows in (a document that became chunks)."""
        self.books.count(account, "kept", "", number)

    def drop(
        self,
        batch: pa.RecordBatch,
        account: str,
        rule: PerRow,
        value: PerRow = None,
        threshold: PerRow = None,
        partner: PerRow = None,
        detail: PerRow = None,
        also: Sequence[list[str]] | None = None,
        status: Status = "dropped",
    ) -> None:
        """Book rows that went no further, each with its rule and the evidence; every argument is per row or for all."""
        count = batch.num_rows
        if not count:
            return
        texts = {
            "rule": _per_row(rule, count),
            "id": batch.column("id"),
            "value": [_text(item) for item in _per_row(value, count)],
            "threshold": [_text(item) for item in _per_row(threshold, count)],
            "partner": _per_row(partner, count),
            "detail": _per_row(detail, count),
            "also": also if also is not None else [[]] * count,
            "row": rows_as_json(batch),
        }
        self._enter(ledger_batch({"account": [account] * count, "status": [status] * count} | texts))

    def enter(self, entries: Iterable[LedgerEntry]) -> None:
        """Book ledger entries one by one, where there is no batch of rows (unreadable records, requests, pieces)."""
        if held := list(entries):
            self._enter(to_batch(held, LedgerEntry))

    def _enter(self, entries: pa.RecordBatch) -> None:
        ends = list(zip(*(entries.column(name).to_pylist() for name in ("account", "status", "rule")), strict=True))
        for (account, status, rule), number in Counter(ends).items():
            self.books.count(account, status, rule, number)
        self._preview.entries(entries, ends)
        self._ledger.write(entries)

    def add_file(self, name: str, path: Path | None = None, hashed: bool = True) -> None:
        """Add a file made in `workdir` (at `name`, unless `path` says where) to the dataset.

        `hashed=False` keeps a file out of the content hash: only for what may differ between equal runs (timings).
        """
        final = self.workdir / name
        if path and path != final:
            final.parent.mkdir(parents=True, exist_ok=True)
            path.rename(final)
        size, sha256 = final.stat().st_size, file_sha256(final)
        self.files.append(File(path=name, bytes=size, sha256=sha256, hashed=hashed))
        self._place.finished(name, final)

    def add_folder(self, name: str, hashed: bool = True) -> None:
        """Add every file below a folder of `workdir`."""
        for path in sorted((self.workdir / name).rglob("*")):
            if path.is_file():
                self.add_file(path.relative_to(self.workdir).as_posix(), hashed=hashed)

    def add_text(self, name: str, text: str, hashed: bool = True) -> None:
        """Add a small UTF-8 text file."""
        path = self.workdir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.add_file(name, hashed=hashed)

    def close(self) -> tuple[list[Shard], list[Shard], str]:
        """Finish all files; returns data shards, ledger shards and the content hash."""
        shards, dropped = self._kept.close(), self._ledger.close()
        self.add_text(PREVIEW, self._preview.close().model_dump_json(), hashed=False)
        return shards, dropped, self._hash.hexdigest(self.files)

    def stop(self) -> None:
        """Write no more, whatever was planned; the folder may then be removed."""
        self._kept.stop()
        self._ledger.stop()

    def _closed(self, shard: Shard, path: Path) -> None:
        self._place.finished(shard.path, path)


def _per_row(value: PerRow, count: int) -> list[Any]:
    if value is None or isinstance(value, str | int | float):
        return [value] * count
    return value.tolist() if isinstance(value, np.ndarray | pa.Array) else list(value)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return f"{value:.6g}" if isinstance(value, float) else str(value)
