"""Feeds and sitemaps: which pages they list, and what a feed says about each."""

import calendar
import datetime
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from xml.etree import ElementTree

from curate.spdx import spdx_id
from curate.web.addresses import normal

Kind = Literal["page", "feed", "sitemap"]
ROOT = re.compile(rb"<(?:[A-Za-z][\w-]*:)?(rss|feed|rdf|urlset|sitemapindex|html)[\s>]", re.IGNORECASE)
ROOT_WITHIN = 4096
KINDS: dict[bytes, Kind] = {b"rss": "feed", b"feed": "feed", b"rdf": "feed", b"urlset": "sitemap"}
GZIP = b"\x1f\x8b"
LARGEST_SITEMAP = 50 << 20  # bytes uncompressed, as the sitemap protocol has it


class NotAListing(Exception):
    """The bytes are no feed or sitemap."""


@dataclass(frozen=True)
class Listing:
    """Pages listed, in order, each with what is said about it; and the sitemaps that an index names."""

    pages: dict[str, dict[str, str]] = field(default_factory=dict)
    sitemaps: list[str] = field(default_factory=list)


def kind_of(body: bytes) -> Kind:
    """What an answer is, by its outermost element."""
    if body.startswith(GZIP):
        return "sitemap"
    root = ROOT.search(body[:ROOT_WITHIN])
    name = root[1].lower() if root else b""
    return "sitemap" if name == b"sitemapindex" else KINDS.get(name, "page")


def read_feed(body: bytes, url: str) -> Listing:
    """The entries of an RSS or Atom feed with title, author, date and licence. Raises `NotAListing`."""
    import feedparser

    parsed = feedparser.parse(body, response_headers={"content-location": url}, sanitize_html=False)
    if not parsed.version and not parsed.entries:
        raise NotAListing("neither RSS nor Atom")
    pages: dict[str, dict[str, str]] = {}
    for entry in parsed.entries:
        if page := normal(entry.get("link", "")):
            pages.setdefault(page, _about(entry, parsed.feed))
    return Listing(pages)


def read_sitemap(body: bytes) -> Listing:
    """The pages or sitemaps that a sitemap names: XML, text with one address a line, or either gzipped.

    Raises `NotAListing`.
    """
    text = _unpacked(body)
    if b"<" not in text[:ROOT_WITHIN]:
        return Listing({page: {} for line in text.decode("utf-8", "replace").split() if (page := normal(line))})
    if b"<!DOCTYPE" in text[:ROOT_WITHIN]:
        raise NotAListing("a document type, which no sitemap has")
    found = Listing()
    try:
        for parent, place in _locations(text):
            if parent == "sitemap":
                found.sitemaps.append(place)
            else:
                found.pages.setdefault(place, {})
    except ElementTree.ParseError as error:
        raise NotAListing(f"not XML ({error})") from None
    return found


def _locations(text: bytes) -> Iterator[tuple[str, str]]:
    root = ElementTree.fromstring(text)  # no entities can be declared: document types are refused above
    for item in root:
        for child in item:
            if _local(child.tag) == "loc" and (place := normal(child.text or "")):
                yield _local(item.tag), place


def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(GZIP):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(body, LARGEST_SITEMAP)
    except zlib.error as error:
        raise NotAListing(f"broken compression ({error})") from None
    if unpacker.unconsumed_tail:
        raise NotAListing(f"over {LARGEST_SITEMAP} bytes")
    return text


def _about(entry: Any, feed: Any) -> dict[str, str]:
    links = [*entry.get("links", []), *feed.get("links", [])]
    stated = entry.get("license") or next((link.get("href") for link in links if link.get("rel") == "license"), None)
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    about = {
        "title": entry.get("title"),
        "author": entry.get("author") or feed.get("author"),
        "created_at": _iso(calendar.timegm(moment)) if moment else None,
        "license": spdx_id(stated) if stated else None,
    }
    return {name: " ".join(value.split()) for name, value in about.items() if value and value.strip()}


def _iso(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat().replace("+00:00", "Z")
