"""What a reader finds in a file: records, and places where there should have been one."""

import io
import lzma
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple, cast

import pyarrow as pa

from contract.failures import BadInput

ARROW_CODECS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
COMPRESSED = (*ARROW_CODECS, ".xz")
DAMAGE = (OSError, EOFError, lzma.LZMAError)
"""What reading a damaged compressed file raises."""
CHUNK = 1 << 20
NO_FACTS: Mapping[str, str] = MappingProxyType({})


class Found(NamedTuple):
    """A record as it stands in its file. `place` names file and line or number.

    `identity` is what tells it from others where it has neither id nor url: a whole file's name, else empty. `facts`
    are what its reader learned about it (such as its encoding); they go into the document's metadata.
    """

    place: str
    value: dict[str, Any]
    identity: str = ""
    facts: Mapping[str, str] = NO_FACTS


@dataclass(frozen=True)
class Rejected:
    """A record that cannot become a document: the rule that says so, the evidence, and what was there, as text."""

    place: str
    rule: str
    value: str | int | None = None
    threshold: str | int | None = None
    id: str = ""
    row: str | None = None


Record = Found | Rejected


@dataclass(frozen=True)
class SourceFile:
    """A file being read. `name` is how people know it, `limit` the longest record in bytes.

    `encoding` is a codec's name or `auto`; `charset` is what a web server said of the file; `main_text` leaves a page's
    furniture out.
    """

    path: Path
    name: str
    limit: int
    records_at: str = ""
    encoding: str = "utf-8"
    charset: str = ""
    main_text: bool = False

    def open(self) -> io.BufferedReader:
        """Its bytes, decompressed as they are read."""
        suffix = Path(self.name).suffix.lower()
        try:
            if suffix == ".xz":
                return io.BufferedReader(cast(io.RawIOBase, lzma.open(self.path)), CHUNK)
            stream = pa.input_stream(str(self.path), compression=ARROW_CODECS.get(suffix), buffer_size=CHUNK)
            return io.BufferedReader(stream, CHUNK)
        except PermissionError:
            raise BadInput("no permission to read the file", where=self.name) from None

    def damaged(self, what: object) -> BadInput:
        """The failure to raise when the file as a whole cannot be read."""
        return BadInput(
            f"the file is damaged: {what}", where=self.name, hint="replace it, or take it out of the source"
        )


def lines(stream: IO[bytes], limit: int) -> Iterator[bytes]:
    """A stream's lines, one by one; of a line above the limit only about `limit` bytes ever come into memory."""
    held: list[bytes] = []
    size = 0
    while block := stream.read(CHUNK):
        first, *rest = block.split(b"\n")
        if size <= limit:
            held.append(first)
            size += len(first)
        if rest:
            yield b"".join(held)
            *whole, last = rest
            yield from whole
            held, size = [last], len(last)
    if size:
        yield b"".join(held)


def readable(data: bytes) -> str:
    """Bytes as text for the ledger, undecodable ones marked."""
    return data.decode("utf-8", "replace")


def encoding_fact(encoding: str) -> Mapping[str, str]:
    """What to say of an encoding: nothing where it is UTF-8."""
    return NO_FACTS if encoding == "utf-8" else {"encoding": encoding}


def bad_byte(error: UnicodeDecodeError) -> str:
    """Where text stops being what it should be encoded in."""
    return f"byte {error.object[error.start]:#04x} at {error.start}: {error.reason}"


def first_line(error: Exception) -> str:
    """A library's message, short."""
    return str(error).partition("\n")[0][:200]
