"""Bytes to text: UTF-8 unless a source says otherwise.

Under `auto` another encoding is looked for only where UTF-8 does not fit: a byte order mark, then a guess by
charset-normalizer, taken where its measure of disorder leaves at least `CONFIDENCE` and it knows the language. What is
used instead of UTF-8 is handed back, since a guess can be wrong and must stay visible. Text of another encoding is
hardly ever valid UTF-8 by accident, so UTF-8 goes first even where a page declares something else.
"""

import codecs
import io
import re
from typing import IO

from curate.found import CHUNK, SourceFile

CONFIDENCE = 0.9
SAMPLE = 256 << 10
MOSTLY = 0.9
UTF8 = "utf-8"
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ON_THE_WEB = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}
"""What browsers take these labels for (WHATWG Encoding Standard)."""
META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
META_WITHIN = 4096
UNDECODABLE = "nocturne-undecodable"


def _mark(error: UnicodeError) -> tuple[str, int]:
    """What becomes the byte 0xff in the end, which no UTF-8 holds."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error(UNDECODABLE, _mark)


def decode(data: bytes, encoding: str) -> tuple[str, str]:
    """Text and the encoding used. Raises `UnicodeDecodeError` where the bytes are not of that encoding."""
    if encoding != "auto":
        return data.decode(encoding).removeprefix("\ufeff"), encoding
    try:
        return data.decode("utf-8-sig"), UTF8
    except UnicodeDecodeError:
        if found := _marked(data) or _guessed(data[:SAMPLE]):
            return data.decode(found), found
        raise


def decode_page(data: bytes, charset: str, encoding: str) -> tuple[str, str]:
    """An HTML page's text and the encoding used: UTF-8, a byte order mark, the server's word, the page's, `encoding`.

    Raises `UnicodeDecodeError` where none of them fits.
    """
    try:
        return data.decode("utf-8-sig"), UTF8
    except UnicodeDecodeError:
        declared = META.search(data[:META_WITHIN])
        for label in (_marked(data), charset, declared[1].decode() if declared else ""):
            text = _declared(data, label)
            if text is not None:
                return text, known(label) or label
        return decode(data, encoding)


def known(label: str) -> str:
    """The codec that a label stands for on the web; empty where Python knows none."""
    try:
        name = codecs.lookup(label.strip()).name
    except (LookupError, ValueError):
        return ""
    return ON_THE_WEB.get(name, name)


def as_utf8(file: SourceFile) -> tuple[IO[bytes], str]:
    """A file of many records as a stream of UTF-8, and the encoding that it is in; the caller closes the stream.

    Undecodable bytes become bytes that are not UTF-8 either, so that they are found where they stand.
    """
    stream = file.open()
    encoding = file.encoding if file.encoding != "auto" else _of_records(stream.peek(SAMPLE)[:SAMPLE])
    if known(encoding) == UTF8:
        return stream, UTF8
    return io.BufferedReader(_Recoded(stream, encoding), CHUNK), encoding


def _declared(data: bytes, label: str) -> str | None:
    codec = known(label) if label else ""
    try:
        return data.decode(codec).removeprefix("\ufeff") if codec else None
    except UnicodeDecodeError:
        return None


def _marked(data: bytes) -> str:
    return next((name for mark, name in MARKS if data.startswith(mark)), "")


def _of_records(sample: bytes) -> str:
    """One broken line does not make a file of UTF-8 lines something else."""
    if found := _marked(sample):
        return found
    telling = [line for line in sample.split(b"\n")[:-1] or [sample] if not line.isascii()]
    if not telling or sum(map(_is_utf8, telling)) >= MOSTLY * len(telling):
        return UTF8
    return _guessed(sample) or UTF8


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _guessed(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return best.encoding if best and 1 - best.chaos >= CONFIDENCE and best.coherence > 0 else ""


class _Recoded(io.RawIOBase):
    """A byte stream of any encoding, read as UTF-8."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(UNDECODABLE)
        self._ready = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready and not self._ended:
            block = self._stream.read(CHUNK)
            self._ended = not block
            self._ready = memoryview(self._decoder.decode(block, not block).encode("utf-8", "surrogateescape"))
        size = min(len(self._ready), len(buffer))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def close(self) -> None:
        self._stream.close()
        super().close()
