"""Pages through the cache: asked for with their validators, so that what did not change is not sent again."""

import re
from collections.abc import Mapping
from urllib.parse import urljoin

from contract.config.ingest import Web
from curate.web.addresses import normal
from curate.web.cache import Kept, PageCache
from curate.web.fetch import Answer, Failed, Fetcher
from curate.web.robots import LARGEST, Robots
from stagekit.checksums import bytes_sha256

MOST_REDIRECTS = 5
REDIRECTS = {301, 302, 303, 307, 308}
GONE = {404, 410}
CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
NO_AI = re.compile(r"\b(noai|noimageai)\b", re.IGNORECASE)


class Gone(Exception):
    """The page is there no more (404, 410)."""


class Client:
    """Fetches the addresses of one source by the rules of each site."""

    def __init__(self, web: Web, cache: PageCache) -> None:
        self.web, self.cache = web, cache
        self.fetcher = Fetcher(web)
        self.robots = Robots(self._robots_text, self.fetcher.pace)
        self.fetched = self.unchanged = 0
        self.replaced: set[str] = set()
        """Bodies that were an address's answer until tonight."""
        self._tonight: dict[str, Kept] = {}

    def page(self, url: str, limit: int) -> Kept:
        """The address as it is now, its body in the cache; one that was asked for tonight already is not asked again.

        Raises `Gone`; `Forbidden` by robots.txt; `Failed` for anything that keeps a whole answer away.
        """
        return self._tonight.get(url) or self._current(url, limit, heed_robots=True)

    def _robots_text(self, url: str) -> bytes | None:
        try:
            return self.cache.body(self._current(url, LARGEST, heed_robots=False).sha256)
        except Gone:
            return None
        except Failed as failure:
            if failure.lasting and str(failure).startswith("HTTP 4"):
                return None
            raise

    def _current(self, url: str, limit: int, heed_robots: bool) -> Kept:
        kept = self.cache.kept(url)
        answer = self._followed(url, _validators(kept), limit, heed_robots)
        if answer.status == 304 and kept:
            self.unchanged += 1
            self._tonight[url] = kept
            return kept
        if answer.status in GONE:
            raise Gone(f"HTTP {answer.status}")
        if answer.status != 200:
            raise Failed(f"HTTP {answer.status}", lasting=answer.status < 500)
        self.fetched += 1
        found = _kept(url, answer)
        self.cache.keep(found, answer.body)
        if kept and kept.sha256 != found.sha256:
            self.replaced.add(kept.sha256)
        self._tonight[url] = found
        return found

    def _followed(self, url: str, headers: Mapping[str, str], limit: int, heed_robots: bool) -> Answer:
        """The answer at the end of the redirects; each address on the way is checked like the first."""
        place = url
        for _ in range(MOST_REDIRECTS + 1):
            if heed_robots:
                self.robots.check(place)
            answer = self.fetcher.get(place, headers, limit)
            if answer.status not in REDIRECTS:
                return answer
            place = normal(urljoin(place, answer.headers.get("location", "")))
            if not place:
                raise Failed("redirected to no web address", lasting=True)
        raise Failed(f"over {MOST_REDIRECTS} redirects", lasting=True)


def _validators(kept: Kept | None) -> dict[str, str]:
    if kept is None:
        return {}
    headers = {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
    return {name: value for name, value in headers.items() if value}


def _kept(url: str, answer: Answer) -> Kept:
    headers = answer.headers
    kind = headers.get("content-type", "")
    charset = CHARSET.search(kind)
    return Kept(
        url=url,
        final_url=answer.url,
        sha256=bytes_sha256(answer.body),
        content_type=kind.partition(";")[0].strip().lower(),
        charset=charset[1].lower() if charset else "",
        reserved=_reserved(headers),
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
    )


def _reserved(headers: Mapping[str, str]) -> str:
    """The server's reservation against text and data mining: TDMRep's header, or `noai` as a robots tag."""
    if headers.get("tdm-reservation", "").strip() == "1":
        return "tdm-reservation"
    said = NO_AI.search(headers.get("x-robots-tag", ""))
    return said[1].lower() if said else ""
