"""Pages and PDFs made to keep a parser busy: told by counts, before a parser sees them.

HTML parsers compare each attribute of a tag with those before it, and walk up all open elements at many tags: a page of
200 KB can take seconds and one of 20 MB hours. What a PDF's streams unpack to is held in memory. Counts, unlike a time
limit, give the same answer on every machine. They are no proof: a page may hide its nesting from them in broken markup,
and a PDF its packing in filters that are not looked into; what they then cost is bounded by the file's size alone.
"""

import re
import zlib
from collections import Counter

MOST_DEEP = 2_000
"""Elements inside one another; browsers nest no deeper than 512."""
MOST_ATTRIBUTES = 2_000
"""Attributes of one tag."""
MOST_TAGS = 200_000
"""Tags of a page whose main text is looked for: trafilatura takes some 20 seconds for 100,000."""
LARGEST_STREAM = 32 << 20
"""Bytes that a PDF's drawing may have unpacked; a page of dense text has some 50,000."""
LARGEST_STREAMS = 512 << 20
"""The same for all drawings of a file together."""

TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)([^<>]*)")
VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")
ALONE = "area base br col embed hr img input link meta source track wbr"
ENDS_BY_ITSELF = "p li dt dd rt rp optgroup option colgroup thead tbody tfoot tr td th body html head"
NOT_NESTED = frozenset(f"{ALONE} {ENDS_BY_ITSELF}".split())
STREAM = re.compile(rb"stream\r?\n")
DICTIONARY = 400
"""Bytes before a stream's data in which its dictionary is looked for."""
BLOCK = 1 << 20


def intricate_page(html: str) -> str:
    """What is too much about a page, in words; empty for a page like any other."""
    if html.count("<") < MOST_DEEP and html.count("=") < MOST_ATTRIBUTES:
        return ""
    open_now: Counter[str] = Counter()
    deep = 0
    for closes, name, rest in TAG.findall(html):
        name = name.lower()
        if len(rest) > 2 * MOST_ATTRIBUTES and len(VALUE.sub("", rest).split()) > MOST_ATTRIBUTES:
            return f"a tag of over {MOST_ATTRIBUTES:,} attributes"
        if name in NOT_NESTED or rest.endswith("/"):
            continue
        change = (-1 if open_now[name] else 0) if closes else 1
        open_now[name] += change
        deep += change
        if deep > MOST_DEEP:
            return f"over {MOST_DEEP:,} elements inside one another"
    return ""


def many_tags(html: str) -> bool:
    """Whether a page is too large for its main text to be told from the rest."""
    return html.count("<") > MOST_TAGS


def intricate_pdf(data: bytes) -> str:
    """What is too much about a PDF, in words; pictures do not count, since no picture is unpacked for its text."""
    total = 0
    for found in STREAM.finditer(data):
        about = data[max(0, found.start() - DICTIONARY) : found.start()].rpartition(b"obj")[2]
        if b"/Image" in about or b"FlateDecode" not in about:
            continue
        if about.count(b"FlateDecode") > 1:
            return "a stream packed twice"
        size = _unpacked(data, found.end())
        total += size
        if size > LARGEST_STREAM or total > LARGEST_STREAMS:
            return f"streams of over {(LARGEST_STREAM if size > LARGEST_STREAM else LARGEST_STREAMS) >> 20} MB unpacked"
    return ""


def _unpacked(data: bytes, start: int) -> int:
    """Bytes that a stream unpacks to, as far as it can be unpacked and is worth knowing."""
    unpack, size, rest = zlib.decompressobj(), 0, memoryview(data)[start:]
    piece = bytes(rest[:BLOCK])
    at = len(piece)
    try:
        while size <= LARGEST_STREAM and not unpack.eof and piece:
            size += len(unpack.decompress(piece, BLOCK))
            piece = unpack.unconsumed_tail or bytes(rest[at : at + BLOCK])
            at += 0 if unpack.unconsumed_tail else len(piece)
    except zlib.error:
        pass
    return size
