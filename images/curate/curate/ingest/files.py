"""The files of a source in a store, and their records as they were found."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from contract.config.ingest import IngestConfig, IngestSource
from contract.failures import BadInput
from curate.found import DAMAGE, Record, Rejected, SourceFile
from curate.readers import READERS, format_of
from curate.spdx import LICENSE_FILE, license_of_file
from stagekit.sources import source_files
from stagekit.store import Entry, Store

LICENSE_BYTES = 100_000


class Files:
    """The files of a source. `license` is what a LICENSE file at the folder's top says."""

    def __init__(self, source: IngestSource, name: str, config: IngestConfig) -> None:
        self.figures: dict[str, float] = {}
        self.source, self.name, self.config = source, name, config
        self.store, entries = source_files(source)
        licenses = [entry for entry in entries if LICENSE_FILE.search(entry.name)]
        self.entries = [entry for entry in entries if entry not in licenses] if len(entries) > 1 else entries
        self.license = next(filter(None, map(self._license, licenses)), None) if len(entries) > 1 else None

    def __iter__(self) -> Iterator[Iterator[Record]]:
        """One iterator of records per file."""
        return (self._records(entry) for entry in self.entries)

    def _records(self, entry: Entry) -> Iterator[Record]:
        shown = entry.name if entry.name == self.name else f"{self.name}/{entry.name}"
        source = self.source
        format_name = format_of(entry.name) if source.format == "auto" else source.format
        if format_name is None:
            yield Rejected(shown, "unknown_format", Path(entry.name).suffix or "no ending")
            return
        with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
            path = fetched(self.store, entry.name, Path(folder), shown)
            file = SourceFile(
                path,
                shown,
                self.config.max_row_bytes,
                source.records_at,
                source.encoding,
                main_text=source.extract == "main",
            )
            yield from read(file, format_name)

    def _license(self, entry: Entry) -> str | None:
        if "/" in entry.name or entry.size > LICENSE_BYTES:
            return None
        data = self.store.read(entry.name)
        return license_of_file(data.decode("utf-8", "replace")) if data else None


def read(file: SourceFile, format_name: str) -> Iterator[Record]:
    """A file's records. Raises `BadInput` where it is damaged as a whole."""
    try:
        yield from READERS[format_name](file)
    except DAMAGE as error:
        raise file.damaged(error) from None


def fetched(store: Store, name: str, folder: Path, shown: str) -> Path:
    """A stored file's local path. Raises `BadInput` where it is there no more."""
    path = store.fetch(name, folder)
    if path is None:
        raise BadInput("the file vanished while the source was read", where=shown, hint="run again")
    return path
