"""A real web site on this machine: pages with validators, feeds, sitemaps, robots.txt, and every way to misbehave.

Paths are answered from a table that a test may change between two nights; each request is kept.
"""

import gzip
import hashlib
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from contract.records import Document

PARAGRAPH = "This paragraph of the {name} article says a few things, in whole sentences, so that it reads like one. "


def article(name: str, head: str = "", more: str = "") -> bytes:
    """A page with furniture around its main text."""
    body = "".join(f"<p>{PARAGRAPH.format(name=name)}Part {n}.</p>" for n in range(4))
    top = f"<!doctype html><html lang=en><head><title>The {name} article</title>{head}</head>"
    main = f"<article><h1>{name}</h1>{body}{more}</article>"
    return f"{top}<body><nav><a href=/>Home</a></nav>{main}<footer>Cookies!</footer></body></html>".encode()


@dataclass
class Reply:
    """What a path answers. `validators` lets it answer 304; `etag` overrides the one made from the body."""

    body: bytes = b""
    status: int = 200
    type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    validators: bool = True
    cut: bool = False
    drip: float = 0.0
    """Seconds between any two bytes."""

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'


Answers = Reply | list[Reply]


@dataclass(frozen=True)
class Asked:
    """One request, and the status and body length of its answer."""

    path: str
    headers: dict[str, str]
    status: int
    sent: int
    at: float

    @property
    def conditional(self) -> bool:
        return "if-none-match" in self.headers or "if-modified-since" in self.headers


class Site:
    """Serves `paths` in threads of the test; of a list of replies each request takes the next, the last one stays."""

    def __init__(self) -> None:
        self.paths: dict[str, Answers] = {}
        self.asked: list[Asked] = []
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "Site":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def forget(self) -> list[Asked]:
        """The requests since the last call."""
        asked, self.asked = self.asked, []
        self._taken.clear()
        return asked

    def feed(self, path: str, *pages: str, extra: str = "") -> None:
        """An RSS feed of these paths."""
        items = "".join(
            f"<item><title>About {page}</title><link>{self.url}{page}</link>"
            f"<pubDate>Tue, 03 Mar 2026 10:00:00 GMT</pubDate></item>"
            for page in pages
        )
        text = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Site</title>{extra}{items}</channel></rss>'
        self.paths[path] = Reply(text.encode(), type="application/rss+xml")

    def sitemap(self, path: str, *pages: str, index: bool = False) -> None:
        """A sitemap of these paths, or an index of sitemaps; gzipped where its name says so."""
        outer, inner = ("sitemapindex", "sitemap") if index else ("urlset", "url")
        items = "".join(f"<{inner}><loc>{self.url}{page}</loc></{inner}>" for page in pages)
        text = f'<?xml version="1.0"?><{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{items}</{outer}>'
        body = gzip.compress(text.encode(), mtime=0) if path.endswith(".gz") else text.encode()
        self.paths[path] = Reply(body, type="application/xml")

    def articles(self, *names: str) -> None:
        """Plain articles under their names."""
        self.paths |= {f"/{name}": Reply(article(name)) for name in names}

    def reply(self, path: str) -> Reply:
        """What the next request for a path gets."""
        found = self.paths.get(path, Reply(b"no such page", 404, validators=False))
        if isinstance(found, Reply):
            return found
        with self._lock:
            self._taken[path] += 1
            return found[min(self._taken[path], len(found)) - 1]


class _Handler(BaseHTTPRequestHandler):
    site: ClassVar[Site]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        reply = self.site.reply(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        fresh = reply.validators and headers.get("if-none-match") == reply.etag
        status, body = (304, b"") if fresh else (reply.status, reply.body)
        self.site.asked.append(Asked(self.path, headers, status, len(body), time.monotonic()))
        self._answer(reply, status, body)

    def _answer(self, reply: Reply, status: int, body: bytes) -> None:
        self.send_response(status)
        if status != 304:
            self.send_header("Content-Type", reply.type)
            self.send_header("Content-Length", str(len(body)))
        if reply.validators and status in (200, 304):
            self.send_header("ETag", reply.etag)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self._write(reply, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _write(self, reply: Reply, body: bytes) -> None:
        if reply.cut:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        if not reply.drip:
            self.wfile.write(body)
            return
        for number in range(len(body)):
            self.wfile.write(body[number : number + 1])
            time.sleep(reply.drip)

    def log_message(self, *_: object) -> None:
        pass


def documents(dataset):
    return {document.url.rpartition("/")[2]: document for document in dataset.records(Document)}


def ledger(dataset):
    return {entry.detail.rpartition("/")[2]: (entry.status, entry.rule, entry.value) for entry in dataset.ledger()}
