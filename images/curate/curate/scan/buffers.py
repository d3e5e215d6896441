"""Texts as one buffer of UTF-8 bytes and the places where each begins."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Union

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Texts = Union[Sequence[str], "pa.Array"]
"""Texts as Python strings or as an Arrow array of (large) strings."""


class Bytes(NamedTuple):
    """Text i is `data[offsets[i]:offsets[i + 1]]`, in UTF-8; `offsets` need not begin at 0."""

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1


def utf8(texts: Texts) -> Bytes:
    """The bytes of some texts: an Arrow array's own buffer, or strings encoded (single surrogates too).

    A null of an Arrow array is an empty text.
    """
    if isinstance(texts, Sequence):
        parts = [text.encode("utf-8", "surrogatepass") for text in texts]
        offsets = np.zeros(len(parts) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)), out=offsets[1:])
        return Bytes(np.frombuffer(b"".join(parts), np.uint8), offsets)
    return _of_arrow(texts)


def _of_arrow(array: "pa.Array") -> Bytes:
    import pyarrow as pa

    if array.null_count:
        array = array.fill_null("")
    width = {pa.string(): np.int32, pa.large_string(): np.int64}[array.type]
    _, offsets, data = array.buffers()
    if not len(array) or data is None:
        return Bytes(np.frombuffer(b"", np.uint8), np.zeros(len(array) + 1, np.int64))
    places = np.frombuffer(offsets, width, len(array) + 1, array.offset * np.dtype(width).itemsize)
    return Bytes(np.frombuffer(data, np.uint8), places.astype(np.int64))
