"""C4's rules for a page, line by line: only lines that its line rules keep are looked at."""

import numpy as np

from curate.filter import characters as c
from curate.filter.arrays import Known, Points, Spans, Text
from curate.filter.pieces import PERIOD
from curate.filter.prose import (
    CLOSE,
    CURLY,
    DOUBLE_QUOTE,
    EXCLAMATION,
    FEWEST_WORDS,
    FILLER,
    LONGEST_WORD,
    NOTES,
    OPEN,
    PHRASES,
    POLICY,
    QUESTION,
    QUOTE,
    SCRIPT,
    after,
    count,
    holds,
    line_end,
    matches_at,
    stripped,
)
from curate.filter.tokens import sentences, tokenise
from curate.scan.in_place import in_place

SMALL = np.uint32(0x20202020)
OPENINGS = np.array(
    [int.from_bytes(part.encode(), "little") for part in sorted({text[:4] for text in PHRASES})], np.uint32
)
L, J, PTUC = 1 << 11, 1 << 9, 1 << 15 | 1 << 19 | 1 << 20 | 1 << 2  # first letters, for `holds`


@in_place
def page(text: Text, end: int, line: Text, spans: Spans, rules: Known) -> tuple[int, int, int]:
    """Lines with filler text, lines with a curly bracket, and sentences; `line` is room for one line."""
    filler = curly = found = place = 0
    while place < end:
        stop = line_end(text, place, end)
        start, last = stripped(text, place, stop)
        place = after(text, stop, end)
        if start == last or not _has_words(text, start, last):
            continue
        size = _without_notes(text, start, last, line)
        if not _is_finished(line, size):
            continue
        phrases = _may_hold(line.points, size)
        filler += phrases and holds(line, 0, size, FILLER, L)
        if phrases and holds(line, 0, size, SCRIPT, J):
            continue
        if count(line.points, size, CURLY):
            curly += 1
        elif not (phrases and holds(line, 0, size, POLICY, PTUC)):
            found += sentences(line, spans, tokenise(line, 0, size, spans, rules))
    return filler, curly, found


@in_place
def _may_hold(points: Points, end: int) -> bool:
    """Whether four characters in a row look like the first ones of a phrase; the line has room for three more.

    Nothing in the loop depends on what was found, so that many places are looked at in one step.
    """
    found = np.uint32(0)
    for place in range(end):
        two = points[place] | points[place + 1] << np.uint32(8)
        four = (two | points[place + 2] << np.uint32(16) | points[place + 3] << np.uint32(24)) | SMALL
        for opening in range(len(OPENINGS)):
            found |= np.uint32(four == OPENINGS[opening])
    return bool(found)


@in_place
def _has_words(text: Text, start: int, end: int) -> bool:
    """At least 3 words, none longer than 1,000 characters."""
    kinds = text.kinds
    words = 0
    place = start
    while place < end:
        first = place
        while place < end and not kinds[place] & c.SPACE:
            place += 1
        if place - first > LONGEST_WORD:
            return False
        words += place > first
        if words >= FEWEST_WORDS and end - place <= LONGEST_WORD:
            return True
        place += 1
    return words >= FEWEST_WORDS


@in_place
def _without_notes(text: Text, start: int, end: int, line: Text) -> int:
    """Copy a line without `[1]`, `[]`, `[edit]` and `[citation needed]`; returns its length."""
    line_kinds = line.kinds
    line_points = line.points
    kinds = text.kinds
    points = text.points
    notes = 0
    for place in range(start, end):
        line_points[place - start], line_kinds[place - start] = points[place], kinds[place]
        notes += points[place] == OPEN
    if not notes:
        return end - start
    size, place = 0, start
    while place < end:
        if points[place] == OPEN:
            length = _note(text, place, end)
            if length:
                place += length
                continue
        line_points[size], line_kinds[size] = points[place], kinds[place]
        size += 1
        place += 1
    return size


@in_place
def _note(text: Text, start: int, end: int) -> int:
    kinds = text.kinds
    points = text.points
    place = start + 1
    while place < end and kinds[place] & c.DIGIT:
        place += 1
    if place < end and points[place] == CLOSE:
        return place + 1 - start
    return matches_at(text, start, end, NOTES)


@in_place
def _is_finished(line: Text, size: int) -> bool:
    """Whether a line ends in `.`, `?`, `!` or a straight quotation mark, and not in three full stops."""
    points = line.points
    if not size or points[size - 1] not in (PERIOD, QUESTION, EXCLAMATION, DOUBLE_QUOTE, QUOTE):
        return False
    dots = size >= 3 and points[size - 1] == PERIOD
    return not (dots and points[size - 2] == PERIOD and points[size - 3] == PERIOD)
