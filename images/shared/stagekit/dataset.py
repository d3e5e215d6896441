"""A finished dataset, read back: manifest, batches in order, files. Nothing is believed that its checksums deny."""

import tempfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from contract.failures import BadInput, DamagedData
from contract.manifest import MANIFEST, PREVIEW, Manifest, Preview, Shard, Stored, parse_manifest
from contract.records import RECORDS, LedgerEntry, Record
from contract.release import LATEST_FILE, Release
from contract.uris import LATEST, Address
from stagekit.checksums import file_sha256
from stagekit.store import Store, open_store

if TYPE_CHECKING:
    import pyarrow as pa

R = TypeVar("R", bound=Record)
BATCH_ROWS = 2_000


class Dataset:
    """A dataset in a store. Reading it checks each shard's SHA-256 once."""

    def __init__(self, address: Address, store: Store, manifest: Manifest) -> None:
        self.address, self.store, self.manifest = address, store, manifest
        self._checked: dict[str, Path] = {}

    @property
    def uri(self) -> str:
        """The dataset's address as text."""
        return str(self.address)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.manifest.rows_out

    @property
    def record(self) -> type[Record] | None:
        """The type of its rows, if it has rows."""
        return RECORDS[self.manifest.record] if self.manifest.record else None

    def batches(self, rows: int = BATCH_ROWS, columns: list[str] | None = None) -> "Iterator[pa.RecordBatch]":
        """Its rows in order, as Arrow batches of at most `rows` rows; fewer where rows are large."""
        yield from self._read(self.manifest.shards, rows, columns)

    def records(self, record: type[R]) -> Iterator[R]:
        """Its rows in order, as records; for small data, since each row becomes an object."""
        from stagekit.schema import to_rows

        for batch in self.batches():
            yield from to_rows(batch, record)

    def ledger(self) -> Iterator[LedgerEntry]:
        """What did not go on, and why."""
        from stagekit.schema import to_rows

        for batch in self._read(self.manifest.dropped_shards, BATCH_ROWS, None):
            yield from to_rows(batch, LedgerEntry)

    def file(self, name: str) -> Path:
        """One of its other files, as a local path, checked. Raises `BadInput` when it has no such file."""
        entry = next((file for file in self.manifest.files if file.path == name), None)
        if entry is None:
            names = ", ".join(file.path for file in self.manifest.files)
            raise BadInput(f"no file {name!r}", expected=f"one of {names}", where=self.uri)
        return self._fetch(entry)

    def folder(self, name: str) -> Path:
        """All files below a folder of the dataset, as one local folder."""
        entries = [file for file in self.manifest.files if file.path.startswith(f"{name}/")]
        if not entries:
            raise BadInput(f"no folder {name!r}", where=self.uri)
        paths = [self._fetch(entry) for entry in entries]
        if self.address.scheme == "file":
            return Path(self.address.path) / name
        for entry, path in zip(entries, paths, strict=True):
            target = self._temporary / entry.path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._checked[entry.path] = path.rename(target)
        return self._temporary / name

    def link_into(self, folder: Path, wanted: Callable[[str], bool]) -> None:
        """Put links to its rows' shards and other files, those whose path is wanted, into a folder."""
        stored: list[Stored] = [*self.manifest.shards, *self.manifest.files]
        for entry in stored:
            if wanted(entry.path):
                target = folder / entry.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(self._fetch(entry))

    def preview(self) -> Preview:
        """The few rows kept for showing."""
        return Preview.model_validate_json(self.file(PREVIEW).read_bytes())

    def check_sizes(self) -> None:
        """Compare every shard and file with the store, by size. Raises `DamagedData` naming the first that differs."""
        stored: list[Stored] = [*self.manifest.shards, *self.manifest.dropped_shards, *self.manifest.files]
        for entry in stored:
            found = self.store.stat(entry.path)
            if found is None or found.size != entry.bytes:
                raise _damaged(self.address, entry, "missing" if found is None else f"{found.size:,} bytes long")

    def _read(self, shards: list[Shard], rows: int, columns: list[str] | None) -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa

        from stagekit.parquet import read_batches

        for shard in shards:
            path = self._fetch(shard)
            try:
                yield from read_batches(path, rows, columns)
            except pa.ArrowInvalid as error:
                raise _damaged(self.address, shard, f"not Parquet ({error})") from None

    def _fetch(self, entry: Stored) -> Path:
        """A local, checked copy; the same one however often a stage reads it."""
        if entry.path in self._checked:
            return self._checked[entry.path]
        path = self.store.fetch(entry.path, self._temporary)
        if path is None:
            raise _damaged(self.address, entry, "missing")
        if file_sha256(path) != entry.sha256:
            raise _damaged(self.address, entry, "not what was written: its SHA-256 differs from the manifest's")
        self._checked[entry.path] = path
        return path

    @cached_property
    def _temporary(self) -> Path:
        self._keeper = tempfile.TemporaryDirectory(prefix="nocturne-")
        return Path(self._keeper.name)


def open_dataset(address: Address) -> Dataset | None:
    """The dataset at an address, or None where there is no manifest."""
    store = open_store(address)
    text = store.read(MANIFEST)
    return None if text is None else Dataset(address, store, parse_manifest(text, where=str(address)))


def released(address: Address) -> Address:
    """Where `.../latest` points to; any other address is itself."""
    parent, _, name = address.path.rpartition("/")
    if name != LATEST:
        return address
    folder = address._replace(path=parent)
    text = open_store(folder).read(LATEST_FILE)
    if text is None:
        raise BadInput(f"no {LATEST_FILE}, so nothing was published yet", where=str(folder))
    return folder.child(Release.model_validate_json(text).key)


def _damaged(address: Address, entry: Stored, what: str) -> DamagedData:
    return DamagedData(
        f"{entry.path} is {what}",
        expected=f"{entry.bytes:,} bytes as listed in its manifest",
        where=str(address),
        hint="delete that folder and run the stage that made it again",
    )
