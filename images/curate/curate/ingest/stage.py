"""Read every source in order; book each record as a document or as a reject."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from contract.config.ingest import IngestConfig, IngestSource
from contract.failures import BadInput
from contract.records import Document, LedgerEntry
from curate.found import Found, Rejected, SourceFile
from curate.ingest.mapping import document_from, needs_repair, record_json
from curate.readers import READERS, format_of
from stagekit.job import Job
from stagekit.sources import source_files
from stagekit.store import Entry, Store

ACCOUNT = "records"
FLUSH_ROWS, FLUSH_CHARACTERS = 2_000, 16_000_000
SHOWN = 3
RULES = {
    "missing_text": "none of the mapped text fields is there",
    "text_not_text": "a mapped text field holds a number, an object or bytes",
    "blank_text": "the text is empty or white space only",
    "too_long": "the record is longer than `max_row_bytes`",
    "broken_encoding": "the bytes are not UTF-8",
    "broken_record": "the line, row or file is not a record of its format",
    "duplicate_id": "a record with this id came before",
    "unknown_format": "the file's ending names no format that is read",
}


def run(job: Job) -> None:
    """Documents from all sources, in the order of sources, file names and records.

    Drops what `RULES` describe, each to the ledger with file and line. Raises `BadInput` when a file of many records
    cannot be read at all, when there is no record, and when more than `max_rejected` of them are rejected.
    """
    for rule, description in RULES.items():
        job.output.rule(rule, description)
    intake = _Intake(job)
    for source in job.config.sources:
        intake.read(source)
    intake.finish()


class _Intake:
    """Books records as they come, holding a bounded number of them."""

    def __init__(self, job: Job) -> None:
        self.job, self.config = job, job.config
        self.total = self.repaired = self.files = 0
        self.rejects: Counter[str] = Counter()
        self.first: list[str] = []
        self.progress = job.progress(None, "records")
        self._ids: set[str] = set()
        self._held: list[Document] = []
        self._characters = 0
        job.output.books.open(ACCOUNT)

    def read(self, source: IngestSource) -> None:
        """All records of one source."""
        name = source.name or source.uri.rstrip("/").rpartition("/")[2]
        store, entries = source_files(source)
        for entry in entries:
            for record in _records(source, name, store, entry, self.config):
                self._take(record, source, name)
            self.files += 1

    def finish(self) -> None:
        """Write what is held; judge the whole."""
        self._flush()
        if not self.total:
            raise BadInput(
                "the sources hold no record", expected="at least one", where=_uris(self.config), hint="check the files"
            )
        rejected = self.rejects.total()
        if rejected > self.config.max_rejected * self.total:
            raise BadInput(
                f"{rejected} of {self.total} records rejected ({_counts(self.rejects)}), first {', '.join(self.first)}",
                expected=f"{self.config.max_rejected:.0%} at most",
                where=_uris(self.config),
                hint="correct the mapping or the files, or raise `max_rejected`",
            )
        metrics = {"files": self.files, "records": self.total, "rejected": rejected, "repaired": self.repaired}
        self.job.output.metrics.update(metrics)

    def _take(self, record: Found | Rejected, source: IngestSource, name: str) -> None:
        self.total += 1
        self.progress.add()
        self.job.output.books.open(ACCOUNT, 1)
        result = self._document(record, source, name) if isinstance(record, Found) else record
        if isinstance(result, Rejected):
            self._reject(result)
        else:
            self._keep(result)

    def _document(self, found: Found, source: IngestSource, name: str) -> Document | Rejected:
        result = document_from(found, source, name, self.config.max_row_bytes)
        if isinstance(result, Rejected):
            return result
        if result.id in self._ids:
            return Rejected(found.place, "duplicate_id", id=result.id, row=record_json(found.value))
        self.repaired += needs_repair(found)
        return result

    def _keep(self, document: Document) -> None:
        self._ids.add(document.id)
        self._held.append(document)
        self._characters += len(document.text)
        if len(self._held) >= FLUSH_ROWS or self._characters >= FLUSH_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self.job.output.write(self._held, account=ACCOUNT)
        self._held, self._characters = [], 0

    def _reject(self, reject: Rejected) -> None:
        self.rejects[reject.rule] += 1
        if len(self.first) < SHOWN:
            self.first.append(f"{reject.place} ({reject.rule}{f': {reject.value}' if reject.value else ''})")
        self.job.output.enter([_entry(reject)])


def _records(
    source: IngestSource, name: str, store: Store, entry: Entry, config: IngestConfig
) -> Iterator[Found | Rejected]:
    """The records of one file."""
    shown = entry.name if entry.name == name else f"{name}/{entry.name}"
    format_name = format_of(entry.name) if source.format == "auto" else source.format
    if format_name is None:
        yield Rejected(shown, "unknown_format", Path(entry.name).suffix or "no ending")
        return
    with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
        path = store.fetch(entry.name, Path(folder))
        if path is None:
            raise BadInput("the file vanished while the source was read", where=shown, hint="run again")
        file = SourceFile(path, shown, config.max_row_bytes, source.records_at)
        try:
            yield from READERS[format_name](file)
        except OSError as error:
            raise file.damaged(error) from None


def _entry(reject: Rejected) -> LedgerEntry:
    return LedgerEntry(
        account=ACCOUNT,
        status="dropped",
        rule=reject.rule,
        id=reject.id or reject.place,
        value=None if reject.value is None else str(reject.value),
        threshold=None if reject.threshold is None else str(reject.threshold),
        detail=reject.place,
        row=reject.row,
    )


def _counts(rejects: Counter[str]) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in rejects.most_common())


def _uris(config: IngestConfig) -> str:
    return ", ".join(source.uri for source in config.sources)
