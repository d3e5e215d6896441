"""What a server of HTTP/1.1 (RFC 9112) sends back to one request, out of the bytes of a connection."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9]\d\d)(?: .*)?")
CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?")
HEAD_BYTES = 1 << 16
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
END = b"\r\n"


class Garbled(Exception):
    """Not HTTP/1.1."""


@dataclass(frozen=True)
class Reply:
    """What came back: any status, header names in any case, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ReplyReader:
    """Reads one reply as its bytes come. Raises `Garbled`."""

    def __init__(self) -> None:
        self.keep = False
        """Whether the connection may be used again, once the reply is there."""
        self._data = bytearray()
        self._status = self._next = 0
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def feed(self, data: bytes) -> Reply | None:
        """Take in some bytes; the reply once it is whole."""
        self._data += data
        while not self._status:
            if not self._head():
                return None
        if self._status in (204, 304):
            return self._whole(b"", 0)
        if "transfer-encoding" in self._headers:
            return self._chunks()
        if (length := self._headers.get("content-length")) is None:
            return None  # it ends with the connection
        if not (length.isascii() and length.isdigit()):
            raise Garbled(f"a body of {length[:40]!r} bytes")
        return self._whole(self._data[: int(length)], int(length)) if len(self._data) >= int(length) else None

    def end(self) -> Reply:
        """The reply that ends with its connection. Raises `Garbled` where that end came too early."""
        if not self._status or self._headers.keys() & {"transfer-encoding", "content-length"}:
            raise Garbled("the server disconnected")
        reply = self._whole(self._data, len(self._data))
        self.keep = False
        return reply

    def _head(self) -> bool:
        """Read status and headers if they are there; those of an interim reply (1xx) are passed over."""
        end = self._data.find(END + END)
        if end < 0:
            if len(self._data) > HEAD_BYTES:
                raise Garbled("headers without an end")
            return False
        first, *lines = self._data[:end].decode("latin-1").split("\r\n")
        del self._data[: end + 4]
        found = STATUS_LINE.fullmatch(first)
        if not found or found[2] == "101":
            raise Garbled(f"not HTTP/1.1: {first[:80]!r}")
        if found[2][0] == "1":
            return True
        self._status, self._headers = int(found[2]), _headers(lines)
        wish = self._headers.get("connection", "").lower()
        self.keep = "close" not in wish and (found[1] == "1" or "keep-alive" in wish)
        return True

    def _chunks(self) -> Reply | None:
        if self._headers["transfer-encoding"].lower() != "chunked":
            raise Garbled(f"a body in {self._headers['transfer-encoding'][:40]!r}")
        while (line := self._data.find(END, self._next)) >= 0:
            size = CHUNK_SIZE.fullmatch(self._data[self._next : line])
            if not size:
                raise Garbled("a chunk without its size")
            start, stop = line + 2, line + 2 + int(size[1], 16)
            if stop == start:
                last = self._data.find(END + END, line)  # behind fields that may follow the body
                return self._whole(self._body, last + 4) if last >= 0 else None
            if len(self._data) < stop + 2:
                return None
            if self._data[stop : stop + 2] != END:
                raise Garbled("a chunk of another size than it says")
            self._body += self._data[start:stop]
            self._next = stop + 2
        return None

    def _whole(self, body: bytes | bytearray, read: int) -> Reply:
        self.keep = self.keep and read == len(self._data)  # what follows was not asked for
        return Reply(self._status, self._headers, _decoded(bytes(body), self._headers.get("content-encoding", "")))


def _headers(lines: list[str]) -> dict[str, str]:
    """By names in small letters; values of those that come twice are joined."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip() or not name:
            raise Garbled(f"a header without a name: {line[:80]!r}")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _decoded(body: bytes, encoding: str) -> bytes:
    """A body that was packed, though nobody asked for it."""
    if encoding.lower() in ("", "identity"):
        return body
    try:
        return zlib.decompress(body, GZIP_OR_ZLIB) if body else body
    except zlib.error:
        raise Garbled(f"a body that cannot be unpacked ({encoding[:40]!r})") from None
