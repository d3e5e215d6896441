"""Every published measure of a batch of texts, in one pass over their UTF-8 bytes."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.filter import characters, pages, pieces, prose, repeats, tokens
from curate.filter.characters import Classes
from curate.filter.pieces import Known, Numbers, Spans, Text
from curate.filter.repeats import Sums, Table, Values
from curate.scan.bytewise import HIGH, eight
from curate.scan.in_place import in_place

Bytes: TypeAlias = npt.NDArray[np.uint8]
Offsets: TypeAlias = npt.NDArray[np.int64]

EIGHT = np.uint64(8)
MARGIN = 8  # characters of room beyond a text's end
LONGEST = 2_000_000  # characters measured; what has fewer than 100,000 words in them has too long words for Gopher
TOP, REPEATED = (2, 3, 4), (5, 6, 7, 8, 9, 10)
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


class Room(NamedTuple):
    """Arrays that every row of a batch uses again: a text, a line of it, its tokens, and what is counted in them."""

    text: Text
    line: Text
    spans: Spans
    sums: Sums
    table: Table
    tops: Numbers


class Wanted(NamedTuple):
    """Where measures go, one row for each text; a family that nobody wants has no rows."""

    quality: Values
    repetition: Values
    c4: Values
    fineweb: Values


class Given(NamedTuple):
    """Tokens cut by somebody else: starts and ends in characters, and where each row's tokens begin."""

    spans: Spans
    offsets: Offsets


def measure(texts: pa.Array, families: Collection[str], cut: Sequence[Sequence[str]] | None = None) -> Wanted:
    """The measures of some families, each of shape `(rows, len(FAMILIES[name]))`.

    With `cut`, the tokens of each text in order, words and n-grams are those instead of this module's own; C4's
    sentences stay its own. Of a text longer than `LONGEST` characters, that many are measured.
    """
    data, offsets = utf8(texts)
    longest = int(min(np.diff(offsets).max(initial=0), LONGEST))
    room = Room(
        _text(longest),
        _text(longest),
        np.zeros((3, longest + 2), np.int32),
        repeats.new_sums(longest),
        repeats.new_table(longest),
        np.zeros(len(TOP), np.int32),
    )
    wanted = Wanted(
        *(np.zeros((len(texts) if name in families else 0, len(FAMILIES[name]))) for name in Wanted._fields)
    )
    given = _given(texts.to_pylist(), cut) if cut is not None else Given(np.zeros((2, 0), np.int32), offsets[:0])
    _measure(data, offsets, characters.classes(), pieces.known(), given, room, wanted)
    return wanted


def utf8(texts: pa.Array) -> tuple[Bytes, Offsets]:
    """The bytes of texts without nulls, and where each begins and the last ends."""
    wide = texts.cast(pa.large_string())
    _, bounds, data = wide.buffers()
    offsets = np.frombuffer(bounds, np.int64, len(wide) + 1, wide.offset * 8)
    return np.frombuffer(data or b"", np.uint8), offsets


def _text(longest: int) -> Text:
    return Text(np.zeros(longest + MARGIN, np.uint32), np.zeros(longest + MARGIN, np.uint32))


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


@in_place
def _decode(data: Bytes, start: int, end: int, table: Classes, text: Text) -> int:
    """Fill a text with the characters of UTF-8 bytes; returns how many there are."""
    kinds = text.kinds
    points = text.points
    size, longest = 0, len(text.points) - MARGIN
    while start < end and size < longest:
        run = _ascii_run(data, start, min(end, start + longest - size), text, size, table)
        start += run
        size += run
        if start < end and size < longest:
            point, start = _character(data, start)
            points[size], kinds[size] = point, table[point] if point < len(table) else 0
            size += 1
    return size


@in_place
def _ascii_run(data: Bytes, start: int, end: int, text: Text, size: int, table: Classes) -> int:
    """Copy ASCII characters, eight at a time; returns how many."""
    kinds, points = text.kinds, text.points
    run = 0
    while start + run + 8 <= end and not eight(data, start + run, end) & HIGH:
        at, put = np.uint64(start + run), np.uint64(size + run)  # a place without a sign needs no look at its sign
        for place in range(EIGHT):
            point = data[at + place]
            points[put + place], kinds[put + place] = point, table[point]
        run += 8
    return run


@in_place
def _character(data: Bytes, start: int) -> tuple[np.uint32, int]:
    """The character that begins at a byte, and where the next one begins."""
    point, length = np.uint32(data[start]), 1
    if point >= 0xF0:
        point, length = point & np.uint32(7), 4
    elif point >= 0xE0:
        point, length = point & np.uint32(15), 3
    elif point >= 0xC0:
        point, length = point & np.uint32(31), 2
    for more in range(1, length):
        point = point << np.uint32(6) | np.uint32(data[start + more] & 63)
    return point, start + length


@in_place
def _measure(
    data: Bytes, offsets: Offsets, table: Classes, rules: Known, given: Given, room: Room, wanted: Wanted
) -> None:
    needs_tokens = len(wanted.quality) + len(wanted.repetition) + len(wanted.fineweb) > 0
    for row in range(len(offsets) - 1):
        size = _decode(data, offsets[row], offsets[row + 1], table, room.text)
        newlines = prose.count(room.text.points, size, prose.NEWLINE)
        if len(wanted.c4):
            out = wanted.c4[row]
            out[0], out[1], out[2] = pages.page(room.text, size, room.line, room.spans, rules)
        count = 0
        if len(given.offsets):
            count = given.offsets[row + 1] - given.offsets[row]
            _copy(given.spans, given.offsets[row], count, room.spans)
        elif needs_tokens:
            count = tokens.tokenise(room.text, 0, size, room.spans, rules)
        if len(wanted.quality):
            _quality(room, size, count, wanted.quality[row])
        if len(wanted.fineweb):
            _fineweb(room, size, count, newlines, wanted.fineweb[row])
        if len(wanted.repetition):
            _repetition(room, size, count, newlines, wanted.repetition[row])


@in_place
def _copy(given: Spans, first: int, count: int, spans: Spans) -> None:
    for token in range(count):
        spans[0, token], spans[1, token] = given[0, first + token], given[1, first + token]


@in_place
def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


@in_place
def _quality(room: Room, size: int, count: int, out: Values) -> None:
    words, characters_in, lettered = prose.kinds_of_tokens(room.text, room.spans, count)
    hashes, ellipses = prose.signs(room.text.points, size)
    lines, bullets, trailing = prose.listed_lines(room.text, size)
    out[0] = words
    out[1] = _share(characters_in, words)
    out[2] = _share(max(hashes, ellipses), count)
    out[3] = _share(bullets, lines)
    out[4] = _share(trailing, lines)
    out[5] = _share(lettered, count)
    out[6] = prose.stop_words(room.text, room.spans, count, prose.STOPS)


@in_place
def _fineweb(room: Room, size: int, count: int, newlines: int, out: Values) -> None:
    lines, ended, short = prose.line_shapes(room.text, size)
    _, _, again = repeats.repeated_parts(room.text, 0, size, repeats.FULL_LINES, newlines, room.sums, room.table)
    out[0] = _share(ended, lines)
    out[1] = _share(short, lines)
    out[2] = _share(again, size - newlines)
    out[3] = _share(newlines, count)


@in_place
def _repetition(room: Room, size: int, count: int, newlines: int, out: Values) -> None:
    parts, again, lost = repeats.repeated_parts(room.text, 0, size, repeats.LINES, newlines, room.sums, room.table)
    out[0], out[1] = _share(again, parts), _share(lost, size)
    start, end = prose.stripped(room.text, 0, size)
    parts, again, lost = repeats.repeated_parts(
        room.text, start, end, repeats.PARAGRAPHS, newlines, room.sums, room.table
    )
    out[2], out[3] = _share(again, parts), _share(lost, size)
    opening = repeats.sum_up(room.text, room.spans, count, room.sums)
    whole = size if opening == count else room.spans[1, opening - 1]
    repeats.top_grams(room.sums, opening, 4, room.table, room.tops)
    for place in range(3):
        out[4 + place] = _share(room.tops[place], whole)
    starts = repeats.recurring(room.sums, opening, 5, room.table)
    for length in range(5, 11):
        again = repeats.repeated_grams(room.sums, opening, starts, length, room.table.keys)
        out[length + 2] = _share(again, whole)
