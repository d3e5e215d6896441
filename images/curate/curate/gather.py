"""What is at a source outside the store now: fetched into the cache where it is new, and its hash."""

from contract.config.base import Source
from contract.config.ingest import IngestSource
from contract.failures import BadConfig
from contract.uris import HUB, Address, scheme_of
from curate.web.cache import CACHE, PageCache
from stagekit.store import cache_store


def gather(source: Source, folder: Address) -> tuple[str, str]:
    """A source's URI (a data set's with its commit) and the hash of what it holds."""
    if not isinstance(source, IngestSource):
        raise BadConfig(f"{source.uri!r} is no file", expected="a file or folder; only ingest reads others")
    if scheme_of(source.uri) == HUB:
        from curate.hub import commit_of, content_hash  # `datasets` takes a second to import

        commit = commit_of(source.uri, source.hub.revision)
        return f"{source.uri}@{commit}", content_hash(source.uri, source.hub, commit)
    from curate.web.crawl import Crawl
    from curate.web.tidy import tidy

    cache = PageCache(cache_store(CACHE, folder))
    crawl = Crawl(source.uri, source.web, cache)
    snapshot = cache.keep_snapshot(crawl.snapshot())
    tidy(cache, source.uri, snapshot, crawl.client.replaced)
    return source.uri, snapshot
