"""Kernels: all published measures of a batch of texts, text by text."""

import numpy as np

from curate.filter import pages, prose, repeats, tokens
from curate.filter.arrays import MARGIN, Bytes, Given, Known, Offsets, Room, Spans, Text, Values, Wanted
from curate.filter.characters import Classes
from curate.scan.bytewise import HIGH, eight
from curate.scan.in_place import in_place

EIGHT = np.uint64(8)


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
def measure(
    data: Bytes, offsets: Offsets, table: Classes, rules: Known, given: Given, room: Room, wanted: Wanted
) -> None:
    """Fill what is wanted, one row for each text."""
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
