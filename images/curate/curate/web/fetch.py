"""One request at a time: paced, bounded in time and size, tried again where that may help."""

import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import urllib3
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    SSLError,
    TimeoutError,
)

from contract.config.ingest import Web
from curate.web.addresses import NotPublic, origin
from curate.web.connections import connection_pool
from curate.web.pace import Pace

AGENT = "Nocturne"
TRIES = 3
LATER = {408, 425, 429, 500, 502, 503, 504}
"""Answers that may be another one on the next try."""
LONGEST_HOLD = 120.0
"""Longest `Retry-After` that is waited for (seconds); a server that asks for more has failed for tonight."""
BLOCK = 64 << 10
REASONS = (
    (NameResolutionError, "no such host"),
    (NewConnectionError, "no connection"),
    (TimeoutError, "timed out"),
    (DecodeError, "broken compression"),
    (SSLError, "no trusted connection"),
    (ProtocolError, "cut off"),
)


class Failed(Exception):
    """A page cannot be had now. The message is short and the same each time; `lasting` failures are the site's word."""

    def __init__(self, why: str, lasting: bool = False) -> None:
        self.lasting = lasting
        super().__init__(why)


@dataclass(frozen=True)
class Answer:
    """A server's answer; header names in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetcher:
    """GET requests of one source."""

    def __init__(self, web: Web) -> None:
        self.web, self.pace = web, Pace(web.delay)
        self.requests = 0
        self._pool = connection_pool(web.allow_private)
        self._agent = f"{AGENT} (+{web.contact})"

    def get(self, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        """The answer to one address, redirects included as they are.

        Raises `Failed` when no whole answer of at most `limit` bytes comes within the time, or only refusals.
        """
        for left in range(TRIES - 1, -1, -1):
            self.pace.wait(origin(url))
            try:
                answer = self._once(url, headers, limit)
            except Failed as failure:
                if failure.lasting or not left:
                    raise
                self._back_off(url, TRIES - left, "")
                continue
            if answer.status not in LATER:
                return answer
            if not left or not self._back_off(url, TRIES - left, answer.headers.get("retry-after", "")):
                raise Failed(f"HTTP {answer.status}")
        raise AssertionError("the last try returns or raises")

    def _back_off(self, url: str, tried: int, retry_after: str) -> bool:
        """Hold the origin back, twice as long each time; False where it asks for longer than anybody waits."""
        wished = _seconds(retry_after)
        self.pace.hold(origin(url), max(self.web.delay * 2**tried, wished))
        return wished <= LONGEST_HOLD

    def _once(self, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        self.requests += 1
        deadline = time.monotonic() + self.web.timeout
        timeout = urllib3.Timeout(connect=self.web.timeout, read=self.web.timeout)
        sent = {"User-Agent": self._agent, "Accept-Encoding": "gzip, deflate", **headers}
        try:
            response = self._pool.request(
                "GET", url, headers=sent, timeout=timeout, retries=False, redirect=False, preload_content=False
            )
            try:
                body = _body(response, deadline, limit)
                response.release_conn()  # only the connection of a whole body can be used again
            finally:
                response.close()
        except NotPublic as error:
            raise Failed(str(error), lasting=True) from None
        except (HTTPError, LocationParseError) as error:
            raise Failed(_why(error)) from None
        return Answer(url, response.status, {name.lower(): value for name, value in response.headers.items()}, body)


def _body(response: urllib3.BaseHTTPResponse, deadline: float, limit: int) -> bytes:
    """The whole body. One that drips in is given up at the deadline, one that swells at the limit."""
    blocks: list[bytes] = []
    size = 0
    while block := response.read1(BLOCK, decode_content=True):
        blocks.append(block)
        size += len(block)
        if size > limit:
            raise Failed(f"over {limit} bytes", lasting=True)
        if time.monotonic() > deadline:
            raise Failed("timed out")
    return b"".join(blocks)


def _why(error: Exception) -> str:
    """A failure in words that do not change from night to night."""
    return next((why for kind, why in REASONS if isinstance(error, kind)), "no connection")


def _seconds(retry_after: str) -> float:
    """A `Retry-After` header as seconds from now; 0 where there is none to understand."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return 0.0
    now = datetime.datetime.now(datetime.UTC)
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or datetime.UTC) - now).total_seconds())
