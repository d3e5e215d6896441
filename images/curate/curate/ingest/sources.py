"""Where a source's records come from: files in a store, pages gathered from the web, rows of the Hub."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from contract.config.ingest import IngestConfig, IngestSource
from contract.manifest import Parent
from contract.uris import HUB, is_gathered, scheme_of
from curate.found import Record
from curate.ingest.files import Files
from stagekit.job import Job


class Opened(Protocol):
    """A source being read: one iterable of records per file or page, `figures` for the manifest, and `license` for
    documents that state none."""

    license: str | None
    figures: dict[str, float]

    def __iter__(self) -> Iterator[Iterable[Record]]:
        """The records of each file or page."""


def opened(source: IngestSource, name: str, config: IngestConfig, parent: Parent, job: Job) -> Opened:
    """A source at the state that its parent names."""
    if not is_gathered(source.uri):
        return Files(source, name, config)
    if scheme_of(source.uri) == HUB:
        from curate.hub import HubRows  # `datasets` takes a second to import

        return HubRows(source.uri, source.hub, parent.uri.rpartition("@")[2])
    from curate.ingest.web import Pages
    from curate.web.cache import CACHE, PageCache

    return Pages(source, config, PageCache(job.cache(CACHE)), parent.content_hash)
