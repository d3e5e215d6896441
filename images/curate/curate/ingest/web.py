"""The pages of a snapshot as records. Everything was fetched before; nothing here goes outside."""

import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from contract.config.ingest import IngestConfig, IngestSource
from contract.failures import RemoteTrouble
from curate.found import Found, Record, Rejected, SourceFile
from curate.ingest.files import read
from curate.readers import format_of
from curate.web.cache import PageCache
from curate.web.snapshot import Missing, Page, Snapshot

TYPES = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "text/markdown": "markdown",
    "application/json": "json",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
}
PLAIN = "text/plain"
VAGUE = {PLAIN, "application/octet-stream", "application/gzip", "application/x-gzip", ""}
"""Types under which servers send any file; its address's ending says more."""
ONE_RECORD = {"html", "pdf", "markdown", "text"}


class Pages:
    """The pages of a source as its snapshot has them, in the order of their addresses."""

    license: str | None = None

    def __init__(self, source: IngestSource, config: IngestConfig, cache: PageCache, content_hash: str) -> None:
        self.source, self.config, self.cache = source, config, cache
        snapshot = cache.snapshot(content_hash)
        if snapshot is None:
            raise RemoteTrouble("what was gathered is there no more", where=source.uri, hint="run again")
        self.snapshot: Snapshot = snapshot
        self.figures = {f"web_{name}": figure for name, figure in snapshot.figures.items()}

    def __iter__(self) -> Iterator[Iterator[Record]]:
        """One iterator of records per page, missing ones first."""
        yield iter([_missing(page) for page in self.snapshot.missing])
        yield from map(self._records, self.snapshot.pages)

    def _records(self, page: Page) -> Iterator[Record]:
        if page.reserved and self.source.web.reserved == "drop":
            yield Rejected(page.final_url, "rights_reserved", page.reserved)
            return
        form = self.source.format if self.source.format != "auto" else page_format(page)
        if form is None:
            yield Rejected(page.final_url, "unknown_format", page.content_type or "no type")
            return
        with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
            for record in read(self._file(page, Path(folder)), form):
                yield self._told(record, page) if isinstance(record, Found) and form in ONE_RECORD else record

    def _told(self, found: Found, page: Page) -> Record:
        """A page with what the feed and the server said of it, where it does not say so itself."""
        reserved = found.facts.get("reserved") or page.reserved
        if reserved and self.source.web.reserved == "drop":
            return Rejected(found.place, "rights_reserved", reserved)
        value = {"url": page.final_url} | page.about | found.value
        if value.get("title") == _stem(page):
            value["title"] = page.about.get("title", value["title"])
        return found._replace(value=value, facts={**found.facts, **({"reserved": reserved} if reserved else {})})

    def _file(self, page: Page, folder: Path) -> SourceFile:
        path = self.cache.fetch_body(page.sha256, folder)
        if path is None:
            raise RemoteTrouble("a page's body is in the cache no more", where=page.url, hint="run again")
        return SourceFile(
            path,
            page.final_url,
            self.config.max_row_bytes,
            self.source.records_at,
            self.source.encoding,
            page.charset,
            self.source.extract == "main",
        )


def page_format(page: Page) -> str | None:
    """The format of a page by its type, or by its address's ending where the type says little."""
    by_type = TYPES.get(page.content_type)
    if by_type or page.content_type not in VAGUE:
        return by_type
    by_ending = format_of(urlsplit(page.final_url).path)
    return by_ending or ("text" if page.content_type == PLAIN else None)


def _missing(page: Missing) -> Rejected:
    return Rejected(page.url, page.rule, page.value)


def _stem(page: Page) -> str:
    return PurePath(page.final_url).name.partition(".")[0]
