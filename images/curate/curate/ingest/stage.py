"""Read every source in order; book each record as a document or as a reject."""

import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from contract.config.ingest import IngestConfig, IngestSource
from contract.failures import BadInput
from contract.manifest import Parent
from contract.records import Document, LedgerEntry
from curate.found import Record, Rejected
from curate.ingest.mapping import TEXT, Mapper, record_json
from curate.ingest.seen import SeenIds
from curate.ingest.sources import opened
from stagekit.job import Job
from stagekit.schema import arrow_schema

ACCOUNT = "records"
FLUSH_ROWS, FLUSH_CHARACTERS = 2_000, 16_000_000
SHOWN = 3
RULES = {
    "missing_text": "none of the mapped text fields is there",
    "text_not_text": "a mapped text field holds a number, an object or bytes",
    "blank_text": "the text is empty or white space only",
    "too_long": "the record is longer than `max_row_bytes`",
    "broken_encoding": "the bytes are not of the source's encoding",
    "broken_record": "the line, row or file is not a record of its format",
    "duplicate_id": "a record with this id came before",
    "too_intricate": "the page or the PDF would keep a parser busy for hours, or fill the memory",
    "unknown_format": "neither the file's ending nor its type on the web names a format that is read",
    "encrypted": "the PDF opens only with a password",
    "no_text": "the PDF holds pictures of pages but no text",
    "fetch_failed": "the page could not be fetched",
    "gone": "the page is listed, but its site says that it is gone",
    "robots": "the site's robots.txt keeps us out of the page",
    "rights_reserved": "the page's owner reserves text and data mining",
}
FAILED = {"fetch_failed"}
THEIR_WORD = {"gone", "robots", "rights_reserved"}
"""What a site decides about its own pages is no sign of a mistake of ours: it does not count for `max_rejected`."""


def run(job: Job) -> None:
    """Documents from all sources, in the order of sources, file names and records.

    Drops what `RULES` describe, each to the ledger with file and line, or a page's address. Raises `BadInput` when a
    file of many records cannot be read at all, when there is no record, and when more than `max_rejected` are rejected.
    """
    for rule, description in RULES.items():
        job.output.rule(rule, description)
    with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
        intake = _Intake(job, SeenIds(Path(folder)))
        for source, parent in zip(job.config.sources, job.sources(), strict=True):
            intake.read(source, parent)
        intake.finish()


class _Intake:
    """Books records as they come, holding a bounded number of them."""

    def __init__(self, job: Job, ids: SeenIds) -> None:
        self.job, self.config = job, job.config
        self.total = self.repaired = self.files = 0
        self.rejects: Counter[str] = Counter()
        self.first: list[str] = []
        self.progress = job.progress(None, "records")
        self.schema = arrow_schema(Document)
        self._ids = ids
        self._held: list[list[str | None]] = []
        self._entries: list[LedgerEntry] = []
        self._characters = self._booked = 0
        job.output.books.open(ACCOUNT)

    def read(self, source: IngestSource, parent: Parent) -> None:
        """All records of one source."""
        name = source.name or source.uri.rstrip("/").rpartition("/")[2]
        files = opened(source, name, self.config, parent, self.job)
        mapper = Mapper(source, name, self.config.max_row_bytes, files.license)
        self.job.output.metrics.update(files.figures)
        for records in files:
            self._take(records, mapper)
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

    def _take(self, records: Iterable[Record], mapper: Mapper) -> None:
        """The one loop over all records; what it can spare a record is spared."""
        is_new = self._ids.add
        for record in records:
            self.total += 1
            result = record if isinstance(record, Rejected) else mapper(record)
            if isinstance(result, Rejected):
                self._reject(result)
            elif not is_new(result.id):
                self._reject(Rejected(record.place, "duplicate_id", id=result.id, row=_row(record)))
            else:
                self.repaired += result.repaired
                self._held.append(result.values)
                self._characters += len(result.values[TEXT] or "")
                if len(self._held) >= FLUSH_ROWS or self._characters >= FLUSH_CHARACTERS:
                    self._flush()

    def _flush(self) -> None:
        books = self.job.output.books
        self.progress.add(self.total - self._booked)
        books.open(ACCOUNT, self.total - self._booked)
        self._booked = self.total
        if self._held:
            columns = zip(*self._held, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, self.schema, strict=True)]
            self.job.output.write(pa.RecordBatch.from_arrays(arrays, schema=self.schema), account=ACCOUNT)
        self.job.output.enter(self._entries)
        self._held, self._entries, self._characters = [], [], 0

    def _reject(self, reject: Rejected) -> None:
        if reject.rule not in THEIR_WORD | FAILED:
            self.rejects[reject.rule] += 1
            if len(self.first) < SHOWN:
                self.first.append(f"{reject.place} ({reject.rule}{f': {reject.value}' if reject.value else ''})")
        self._entries.append(_entry(reject))
        self._characters += len(reject.row or "")
        if len(self._entries) >= FLUSH_ROWS or self._characters >= FLUSH_CHARACTERS:
            self._flush()


def _row(record: Record) -> str | None:
    return record.row if isinstance(record, Rejected) else record_json(record.value)


def _entry(reject: Rejected) -> LedgerEntry:
    return LedgerEntry(
        account=ACCOUNT,
        status="failed" if reject.rule in FAILED else "dropped",
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
