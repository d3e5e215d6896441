"""Marks that come off the ends of a piece of text, or cut it in its middle."""

from curate.filter import characters as c
from curate.filter.arrays import Known, Points, Text
from curate.filter.pieces import (
    CAPITAL_S,
    COMMA,
    ELLIPSIS,
    MINUS,
    PERCENT,
    PERIOD,
    PLUS,
    SQUARED,
    D,
    E,
    L,
    M,
    N,
    R,
    S,
    T,
    V,
    cut_of,
)
from curate.scan.in_place import in_place


@in_place
def periods(points: Points, start: int, end: int) -> int:
    """How many full stops in a row begin here."""
    place = start
    while place < end and points[place] == PERIOD:
        place += 1
    return place - start


@in_place
def front(text: Text, start: int, end: int) -> int:
    """Length of the mark at the front of a piece, or 0."""
    points, kinds = text.points, text.kinds
    if kinds[start] & c.OPENS:
        return 1
    if points[start] == PERIOD:
        run = periods(points, start, end)
        return run if run > 1 else 0
    if points[start] == PLUS and (start + 1 == end or not kinds[start + 1] & c.DIGIT):
        return 1
    return 0


@in_place
def back(text: Text, start: int, end: int, rules: Known) -> int:
    """Length of the mark at the end of a piece, or 0."""
    points, kinds, last = text.points, text.kinds, end - 1
    if points[last] == PERIOD:
        return _final_period(text, start, last)
    if kinds[last] & c.CLOSES:
        return 1
    if last == start:
        return 0
    if kinds[last - 1] & c.APOSTROPHE and (points[last] == S or points[last] == CAPITAL_S):
        return 2
    if kinds[last - 1] & c.DIGIT and (points[last] == PLUS or kinds[last] & c.CURRENCY):
        return 1
    return _unit(text, start, end, rules)


@in_place
def _unit(text: Text, start: int, end: int, rules: Known) -> int:
    """Length of a unit after a number, or 0."""
    kinds = text.kinds
    for length in range(min(4, end - start - 1), 0, -1):
        digit = kinds[end - length - 1] & c.DIGIT
        if digit and cut_of(text.points, end - length, end, rules) == -1:
            return length
    return 0


@in_place
def _final_period(text: Text, start: int, last: int) -> int:
    """Length of the full stops at the end of a piece that come off, or 0."""
    points, kinds = text.points, text.kinds
    run = 1
    while last - run >= start and points[last - run] == PERIOD:
        run += 1
    if run > 1 or last == start:
        return run if run > 1 else 0
    before = kinds[last - 1]
    if before & (c.DIGIT | c.QUOTE | c.CLOSES | c.LOWER) or points[last - 1] in (PERCENT, SQUARED, MINUS, PLUS):
        return 1
    return 1 if before & c.UPPER and last - 2 >= start and kinds[last - 2] & c.UPPER else 0


@in_place
def contraction(text: Text, start: int, end: int) -> int:
    """Where a contracted ending is cut off, counted from the start; 0 where there is none."""
    points, kinds, size = text.points, text.kinds, end - start
    last = points[end - 1]
    if size > 3 and kinds[end - 2] & c.APOSTROPHE and last == T and points[end - 3] == N:
        return size - 3
    if size > 2 and kinds[end - 2] & c.APOSTROPHE and last in (M, D):
        return size - 2
    if size > 3 and kinds[end - 3] & c.APOSTROPHE:
        first = points[end - 2]
        if (last == E and first in (R, V)) or (last == L and first == L):
            return size - 3
    return 0


@in_place
def inner(text: Text, start: int, place: int, end: int) -> int:
    """Length of the mark at which a piece is cut here, or 0; at no letter or digit."""
    kinds = text.kinds
    points = text.points
    point, kind = points[place], kinds[place]
    if kind & c.ICON or point == ELLIPSIS:
        return 1
    if point == PERIOD and periods(text.points, place, end) > 1:
        return periods(text.points, place, end)
    if place == start or place + 1 == end:
        return 0
    before, after = kinds[place - 1], kinds[place + 1]
    if point == PERIOD:
        return 1 if before & (c.LOWER | c.QUOTE) and after & (c.UPPER | c.QUOTE) else 0
    if point == COMMA:
        return 1 if before & c.ALPHA and after & c.ALPHA else 0
    return _between(text, place, end)


@in_place
def _between(text: Text, place: int, end: int) -> int:
    """Length of a mark that cuts between numbers or words, such as a hyphen, or 0."""
    points, kinds = text.points, text.kinds
    kind, before, after = kinds[place], kinds[place - 1], kinds[place + 1]
    if kind & c.SUM and before & c.DIGIT and (after & c.DIGIT or points[place + 1] == MINUS):
        return 1
    if not before & (c.ALPHA | c.DIGIT):
        return 0
    if kind & c.HYPHEN:
        run = 1
        while run < 3 and place + run + 1 < end and points[place + run] == points[place]:
            run += 1
        return run if kinds[place + run] & c.ALPHA else 0
    return 1 if kind & c.RELATION and after & c.ALPHA else 0
