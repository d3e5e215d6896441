"""What a reader finds in a file: records, and places where there should have been one."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from contract.failures import BadInput

COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
CHUNK = 1 << 20


@dataclass(frozen=True)
class Found:
    """A record as it stands in its file. `place` names file and line or number.

    `identity` is what tells it from others where it has neither id nor url: a whole file's name, else empty.
    """

    place: str
    value: dict[str, Any]
    identity: str = ""


@dataclass(frozen=True)
class Rejected:
    """A record that cannot become a document: the rule that says so, the evidence, and what was there, as text."""

    place: str
    rule: str
    value: str | int | None = None
    threshold: str | int | None = None
    id: str = ""
    row: str | None = None


@dataclass(frozen=True)
class SourceFile:
    """A file being read. `name` is how people know it, `limit` the longest record in bytes."""

    path: Path
    name: str
    limit: int
    records_at: str = ""

    def open(self) -> io.BufferedReader:
        """Its bytes, decompressed as they are read."""
        compression = COMPRESSED.get(Path(self.name).suffix.lower())
        try:
            return io.BufferedReader(pa.input_stream(str(self.path), compression=compression, buffer_size=CHUNK))
        except PermissionError:
            raise BadInput("no permission to read the file", where=self.name) from None

    def lines(self) -> Iterator[bytes]:
        """Its lines, one by one; of a line above the limit only `limit + 1` bytes ever come into memory."""
        with self.open() as stream:
            held = b""
            while block := stream.read(CHUNK):
                *whole, held = (held + block).split(b"\n")
                yield from whole
                if len(held) > self.limit:
                    held = held[: self.limit + 1]
            if held:
                yield held

    def damaged(self, what: object) -> BadInput:
        """The failure to raise when the file as a whole cannot be read."""
        return BadInput(
            f"the file is damaged: {what}", where=self.name, hint="replace it, or take it out of the source"
        )


def readable(data: bytes) -> str:
    """Bytes as text for the ledger, undecodable ones marked."""
    return data.decode("utf-8", "replace")
