"""HTML pages: their main text, and what they say about themselves."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from curate.intricate import many_tags
from curate.markup import page_text
from curate.spdx import spdx_id

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # a page without main text is no news

ABOUT = (
    ("title", 'meta[property="og:title"]', "content"),
    ("title", "title", ""),
    ("title", "h1", ""),
    ("author", 'meta[name="author"]', "content"),
    ("author", '[rel~="author"]', ""),
    ("url", 'link[rel~="canonical"]', "href"),
    ("language", "html", "lang"),
    ("created_at", 'meta[property="article:published_time"]', "content"),
    ("created_at", 'meta[name="date"]', "content"),
    ("created_at", 'meta[name="dc.date"]', "content"),
    ("created_at", "article time[datetime]", "datetime"),
    ("license", 'link[rel~="license"]', "href"),
    ("license", 'a[rel~="license"]', "href"),
    ("license", 'meta[name="dcterms.license"]', "content"),
    ("license", 'meta[name="dc.rights"]', "content"),
)
"""(field, CSS selector, attribute or empty for the element's text); the first that is there wins, before JSON-LD."""

LINKED = (
    ("title", "headline"),
    ("author", "author"),
    ("created_at", "datePublished"),
    ("license", "license"),
    ("language", "inLanguage"),
)
ARTICLES = {"article", "blogposting", "newsarticle", "scholarlyarticle", "techarticle", "report", "webpage"}
RESERVED = {"noai", "noimageai"}


def main_text(html: str) -> str:
    """The page's main text by trafilatura, Barbaresi 2021, without navigation, adverts and comments.

    Where it finds none, and of a page of hundreds of thousands of tags, all text that a reader of the page sees.
    """
    if many_tags(html):
        return page_text(html)
    from trafilatura import extract  # takes half a second to import; only pages need it

    found = extract(html, include_comments=False, include_tables=True, with_metadata=False, deduplicate=False)
    return found or page_text(html)


def page_fields(html: str, address: str = "") -> dict[str, str]:
    """What the page says about itself: title, author, url, language, created_at, license, as far as given.

    A canonical url of another host than the page's own `address` is not believed. Licences become SPDX identifiers.
    """
    tree = LexborHTMLParser(html)
    found: dict[str, str] = {}
    for field, selector, attribute in ABOUT:
        node = tree.css_first(selector)
        value = (node.attributes.get(attribute) if attribute else node.text()) if node else None
        if value and value.strip():
            found.setdefault(field, " ".join(value.split()))
    for field, value in _linked_data(tree):
        found.setdefault(field, value)
    if address:
        found["url"] = _canonical(found.get("url", ""), address)
    if "license" in found:
        found["license"] = spdx_id(found["license"])
    return found


def reserves_rights(html: str) -> str:
    """The page's reservation against text and data mining (`tdm-reservation`, `noai`); empty where there is none."""
    tree = LexborHTMLParser(html)
    node = tree.css_first('meta[name="tdm-reservation"]')
    if node and (node.attributes.get("content") or "").strip() == "1":
        return "tdm-reservation"
    node = tree.css_first('meta[name="robots"]')
    words = {word.strip() for word in ((node.attributes.get("content") or "") if node else "").lower().split(",")}
    return min(words & RESERVED, default="")


def _canonical(stated: str, address: str) -> str:
    url = urljoin(address, stated)
    same = urlsplit(url).hostname == urlsplit(address).hostname
    return url if stated and same else address


def _linked_data(tree: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    """Fields out of the page's JSON-LD, articles' before others'."""
    things: list[dict[str, Any]] = []
    for node in tree.css('script[type="application/ld+json"]'):
        try:
            things += _things(json.loads(node.text(), strict=False))
        except (ValueError, RecursionError):
            continue
    things.sort(key=lambda thing: str(thing.get("@type")).lower() not in ARTICLES)
    for thing in things:
        for field, name in LINKED:
            if value := _name(thing.get(name)):
                yield field, value


def _things(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [thing for item in value for thing in _things(item)]
    if not isinstance(value, dict):
        return []
    return [value, *_things(value.get("@graph"))]


def _name(value: Any) -> str:
    """A JSON-LD value as one line: a text, a thing's name or address, several joined by commas."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list):
        return ", ".join(filter(None, map(_name, value)))
    return _name(value.get("name") or value.get("url") or value.get("@id")) if isinstance(value, dict) else ""
