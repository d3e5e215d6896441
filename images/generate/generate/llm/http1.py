"""What a server of HTTP/1.1 (RFC 9112) sends back to one request, out of the bytes of a connection."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

VERSIONS = ("1.1", "1.0")
HEAD_BYTES = 1 << 16
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
SWITCHING_PROTOCOLS = 101


class Garbled(Exception):
    """Not HTTP/1.1."""


@dataclass(frozen=True)
class Reply:
    """What came back: any status, header names in any case, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ReplyReader:
    """Reads one reply as its bytes come. Raises `Garbled`; after that, or once the reply is whole, it reads no more.

    llhttp, the parser of Node.js, does the reading and calls the methods that begin with `on_`.
    """

    def __init__(self) -> None:
        self.keep = False
        """Whether the connection may be used again, once the reply is there."""
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)  # as some servers send them
        self._read = self._status = 0
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._whole = False

    def feed(self, data: bytes) -> Reply | None:
        """Take in some bytes; the reply once it is whole."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.keep = False
            if not self._whole:  # else it is what follows, which was not asked for
                self.release()
                raise _cause(error) from None
        if self._whole:
            self.release()
            return self._reply()
        if not self._status:
            self._read += len(data)
            if self._read > HEAD_BYTES:
                self.release()
                raise Garbled("headers without an end")
        return None

    def end(self) -> Reply:
        """The reply that ends with its connection. Raises `Garbled` where that end came too early."""
        self.release()
        if not self._status or self._headers.keys() & {"transfer-encoding", "content-length"}:
            raise Garbled("the server disconnected")
        return self._reply()

    def release(self) -> None:
        """Read no more. The parser and this object hold each other: without this they wait for the collector."""
        vars(self).pop("_parser", None)

    def on_message_begin(self) -> None:
        """A reply starts: the one that was asked for, or one that may precede or must not follow it."""
        if self._whole:
            raise Garbled("more than one reply")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header by its name in small letters; values of those that come twice are joined."""
        if self._status:
            return  # behind a body in chunks
        field, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        self._headers[field] = f"{self._headers[field]}, {text}" if field in self._headers else text

    def on_headers_complete(self) -> None:
        """Keep the status, unless it is that of an interim reply (1xx)."""
        status = self._parser.get_status_code()
        if status < 100 or status == SWITCHING_PROTOCOLS or self._parser.get_http_version() not in VERSIONS:
            raise Garbled(f"HTTP/{self._parser.get_http_version()} {status} where HTTP/1.1 was spoken")
        coding = self._headers.get("transfer-encoding", "chunked")
        if coding.lower() != "chunked":
            raise Garbled(f"a body in {coding[:40]!r}")
        if status < 200:
            self._headers.clear()
        else:
            self._status = status

    def on_body(self, piece: bytes) -> None:
        """Keep a piece of the body."""
        self._body.append(piece)

    def on_message_complete(self) -> None:
        """Tell a reply from an interim one."""
        if self._status:
            self._whole, self.keep = True, self._parser.should_keep_alive()

    def _reply(self) -> Reply:
        encoding = self._headers.get("content-encoding", "")
        return Reply(self._status, self._headers, _decoded(b"".join(self._body), encoding))


def _cause(error: Exception) -> BaseException:
    """What stopped the parser: its own words, or what one of the methods that it calls raised."""
    raised = error.__context__ if isinstance(error, HttpParserCallbackError) else None
    return raised or Garbled(f"not HTTP/1.1: {error}")


def _decoded(body: bytes, encoding: str) -> bytes:
    """A body that was packed, though nobody asked for it."""
    if encoding.lower() in ("", "identity"):
        return body
    try:
        return zlib.decompress(body, GZIP_OR_ZLIB) if body else body
    except zlib.error:
        raise Garbled(f"a body that cannot be unpacked ({encoding[:40]!r})") from None
