"""Every published measure of a batch of texts, in one pass over their UTF-8 bytes."""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa

from curate.filter.arrays import TOP, Bytes, Given, Offsets, Wanted, known, room_for
from curate.filter.characters import classes
from curate.scan.ready import Ready

MEASURE = Ready("curate.filter.measuring", "measure")
LONGEST = 2_000_000  # characters measured; what has fewer than 100,000 words in them has too long words for Gopher
REPEATED = (5, 6, 7, 8, 9, 10)
QUALITY = ("words", "word_length", "signs", "bullets", "ellipses", "letters", "stop_words")
REPETITION = (
    *("lines", "line_characters", "paragraphs", "paragraph_characters"),
    *(f"top_{n}" for n in TOP),
    *(f"repeated_{n}" for n in REPEATED),
)

C4 = ("filler", "curly", "sentences")
FINEWEB = ("ended_lines", "short_lines", "repeated_characters", "line_ends")
FAMILIES = {"quality": QUALITY, "repetition": REPETITION, "c4": C4, "fineweb": FINEWEB}
"""The measures of each family, in the order of its columns."""


def measure(texts: pa.Array, families: Collection[str], cut: Sequence[Sequence[str]] | None = None) -> Wanted:
    """The measures of some families, each of shape `(rows, len(FAMILIES[name]))`.

    With `cut`, the tokens of each text in order, words and n-grams are those instead of this module's own; C4's
    sentences stay its own. Of a text longer than `LONGEST` characters, that many are measured.
    """
    data, offsets = utf8(texts)
    longest = int(min(np.diff(offsets).max(initial=0), LONGEST))
    wanted = Wanted(
        *(np.zeros((len(texts) if name in families else 0, len(FAMILIES[name]))) for name in Wanted._fields)
    )
    given = _given(texts.to_pylist(), cut) if cut is not None else Given(np.zeros((2, 0), np.int32), offsets[:0])
    MEASURE(data, offsets, classes(), known(), given, room_for(longest), wanted)
    return wanted


def utf8(texts: pa.Array) -> tuple[Bytes, Offsets]:
    """The bytes of texts without nulls, and where each begins and the last ends."""
    wide = texts.cast(pa.large_string())
    _, bounds, data = wide.buffers()
    offsets = np.frombuffer(bounds, np.int64, len(wide) + 1, wide.offset * 8)
    return np.frombuffer(data or b"", np.uint8), offsets


def _given(texts: Sequence[str], cut: Sequence[Sequence[str]]) -> Given:
    """Where tokens stand in their texts. Raises `ValueError` for one that is not there."""
    starts: list[int] = []
    ends: list[int] = []
    for text, parts in zip(texts, cut, strict=True):
        place = 0
        for part in parts:
            starts.append(text.index(part, place))
            place = starts[-1] + len(part)
            ends.append(place)
    offsets = np.cumsum([0, *map(len, cut)]).astype(np.int64)
    return Given(np.array([starts, ends], np.int32), offsets)
