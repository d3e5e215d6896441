"""From an address to a snapshot: find the pages, fetch what changed, judge the whole."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice

from contract.config.ingest import Web
from contract.failures import BadInput, Failure, RemoteTrouble
from curate.patterns import Expression
from curate.web.addresses import normal, origin
from curate.web.cache import Kept, PageCache
from curate.web.client import Client, Gone
from curate.web.fetch import Failed
from curate.web.listing import LARGEST_SITEMAP, Kind, Listing, NotAListing, kind_of, read_feed, read_sitemap
from curate.web.robots import Forbidden
from curate.web.snapshot import Missing, Page, Snapshot
from stagekit.job import Progress

LOG = logging.getLogger("nocturne")
MOST_HOSTS = 16  # hosts asked at once; each of them still gets one request at a time
MOST_SITEMAPS = 1_000
SHOWN = 3
About = dict[str, str]


class Crawl:
    """One night's visit to one source."""

    def __init__(self, uri: str, web: Web, cache: PageCache) -> None:
        self.uri, self.web, self.cache = uri, web, cache
        self.client = Client(web, cache)
        self.trouble: dict[str, str] = {}

    def snapshot(self) -> Snapshot:
        """What the source holds now; all bodies are in the cache.

        Raises `RemoteTrouble` where the address itself or too many of its pages cannot be had, `BadInput` where it is
        there no more, closed to us, or not what it should be.
        """
        kind, listed = self._listed()
        seen = {} if kind == "page" else self.cache.seen(self.uri)
        wanted = self._wanted(listed, seen if self.web.keep_seen else {})
        found = self._visit_all(wanted)
        self._judge(len(wanted))
        missing = [page for page in found if isinstance(page, Missing)]
        if kind != "page":
            lost = {page.url for page in missing} - self.trouble.keys()
            self.cache.keep_seen(self.uri, {url: about for url, about in {**seen, **listed}.items() if url not in lost})
        return Snapshot(
            pages=[page for page in found if isinstance(page, Page)],
            # one that is gone and listed no more is no record of tonight, so that the next night finds nothing new
            missing=[page for page in missing if page.rule != "gone" or page.url in listed],
            figures=self._figures(len(listed)),
        )

    def _listed(self) -> tuple[Kind, dict[str, About]]:
        """What the source is, and the pages that it names today with what it says about them."""
        start = normal(self.uri)
        if not start:
            raise BadInput("the address cannot be asked for", expected="https://host/path", where=self.uri)
        kept, body = self._start(start)
        kind = kind_of(body) if self.web.kind == "auto" else self.web.kind
        if kind == "page":
            return kind, {start: {}}
        try:
            if kind == "feed":
                return kind, read_feed(body, kept.final_url).pages
            return kind, self._sitemaps(start, read_sitemap(body))
        except NotAListing as error:
            raise BadInput(f"{error}", expected=f"a {kind}", where=self.uri, hint="set web.kind") from None

    def _start(self, start: str) -> tuple[Kept, bytes]:
        try:
            kept = self.client.page(start, max(LARGEST_SITEMAP, self.web.max_bytes))
        except Forbidden:
            raise BadInput("robots.txt keeps us out of this address", where=self.uri) from None
        except Gone as error:
            raise BadInput(f"the address is gone ({error})", where=self.uri) from None
        except Failed as failure:
            raise self._unreachable(failure) from None
        return kept, self.cache.body(kept.sha256)

    def _unreachable(self, failure: Failed) -> Failure:
        if failure.lasting:
            private = "not public" in str(failure)
            hint = "set web.allow_private if that is meant" if private else "open the address in a browser"
            return BadInput(f"the address cannot be had: {failure}", where=self.uri, hint=hint)
        return RemoteTrouble(f"the site does not answer: {failure}", where=self.uri, hint="run again later")

    def _sitemaps(self, start: str, first: Listing) -> dict[str, About]:
        """The pages of a sitemap and of those that it names, in order; one of these may fail, and is said to."""
        pages, waiting, done = dict(first.pages), list(first.sitemaps), {start}
        while waiting and len(pages) < self.web.max_pages and len(done) < MOST_SITEMAPS:
            url = waiting.pop(0)
            if url in done:
                continue
            done.add(url)
            try:
                listing = read_sitemap(self.cache.body(self.client.page(url, LARGEST_SITEMAP).sha256))
            except (Failed, Forbidden, Gone, NotAListing) as error:
                raise RemoteTrouble(f"a part of the sitemap cannot be read: {error}", where=url) from None
            pages = listing.pages | pages
            waiting += listing.sitemaps
        return pages

    def _wanted(self, listed: Mapping[str, About], seen: Mapping[str, About]) -> dict[str, About]:
        include = Expression(self.web.include, "web.include")
        exclude = Expression(self.web.exclude or r"(?!)", "web.exclude")
        both = {**listed, **{url: about for url, about in seen.items() if url not in listed}}
        chosen = ((url, about) for url, about in both.items() if include.search(url) and not exclude.search(url))
        return dict(sorted(islice(chosen, self.web.max_pages)))

    def _visit_all(self, wanted: Mapping[str, About]) -> list[Page | Missing]:
        """Every page's outcome in the order of addresses; hosts side by side, each host's pages one after another."""
        progress = Progress(LOG, len(wanted), "pages")
        by_host = [list(urls) for _, urls in groupby(sorted(wanted, key=origin), key=origin)]

        def visit_host(urls: list[str]) -> Iterator[Page | Missing]:
            for url in urls:
                yield self._visit(url, wanted[url])
                progress.add()

        with ThreadPoolExecutor(max(1, min(MOST_HOSTS, len(by_host)))) as pool:
            outcomes = [page for found in pool.map(lambda urls: list(visit_host(urls)), by_host) for page in found]
        return sorted(outcomes, key=lambda outcome: outcome.url)

    def _visit(self, url: str, about: About) -> Page | Missing:
        try:
            return _page(self.client.page(url, self.web.max_bytes), about)
        except Forbidden:
            return Missing(url=url, rule="robots", value="robots.txt")
        except Gone as error:
            return Missing(url=url, rule="gone", value=str(error))
        except Failed as failure:
            self.trouble[url] = str(failure)
            kept = None if failure.lasting else self.cache.kept(url)
            if kept:  # what it was last time is still the best that is known of it
                return _page(kept, about)
            return Missing(url=url, rule="fetch_failed", value=str(failure))

    def _judge(self, total: int) -> None:
        if not self.trouble:
            return
        reasons = ", ".join(f"{why} {count}" for why, count in Counter(self.trouble.values()).most_common())
        LOG.warning("pages failed", extra={"fields": {"source": self.uri, "failed": len(self.trouble), "why": reasons}})
        if len(self.trouble) > self.web.max_failed * total:
            first = ", ".join(sorted(self.trouble)[:SHOWN])
            raise RemoteTrouble(
                f"{len(self.trouble)} of {total} pages failed ({reasons}), first {first}",
                expected=f"{self.web.max_failed:.0%} at most",
                where=self.uri,
                hint="run again later, or raise web.max_failed",
            )

    def _figures(self, listed: int) -> dict[str, float]:
        client = self.client
        return {
            "listed": listed,
            "requests": client.fetcher.requests,
            "fetched": client.fetched,
            "unchanged": client.unchanged,
            "failed": len(self.trouble),
            "pace_seconds": client.fetcher.pace.slowest,
        }


def _page(kept: Kept, about: About) -> Page:
    return Page(
        url=kept.url,
        final_url=kept.final_url,
        sha256=kept.sha256,
        content_type=kept.content_type,
        charset=kept.charset,
        reserved=kept.reserved,
        about=about,
    )
