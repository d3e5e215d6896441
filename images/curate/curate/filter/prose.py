"""How much a text looks like prose: Gopher's measures of words, FineWeb's of lines, C4's of sentences."""

import numpy as np

from curate.filter import characters as c
from curate.filter.arrays import Hashes, Points, Spans, Text
from curate.filter.pieces import ELLIPSIS, PERIOD
from curate.scan.in_place import in_place

NEWLINE, RETURN, BULLET, MINUS, NUMBER_SIGN, CURLY = 10, 13, 0x2022, 45, 35, 123
OPEN, CLOSE, DOUBLE_QUOTE, QUOTE, EXCLAMATION, QUESTION = 91, 93, 34, 39, 33, 63
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
LONGEST_WORD, FEWEST_WORDS = 1_000, 3


def letters(*phrases: str) -> Points:
    """Phrases one after another, each before a 0, as code points."""
    return np.array([ord(character) for phrase in phrases for character in f"{phrase}\0"], np.uint32)


LONGEST_STOP = 4
STOPS = np.array([int.from_bytes(word.encode(), "little") | len(word) << 56 for word in STOP_WORDS], np.uint64)
POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
PHRASES = ("lorem ipsum", "javascript", *POLICIES)
FILLER, SCRIPT, POLICY = letters(PHRASES[0]), letters(PHRASES[1]), letters(*POLICIES)
NOTES = letters("[edit]", "[citation needed]")


@in_place
def line_end(text: Text, start: int, end: int) -> int:
    """Where the line that begins at `start` ends, without its line end."""
    kinds = text.kinds
    place = start
    while place < end and not kinds[place] & c.LINE_END:
        place += 1
    return place


@in_place
def after(text: Text, place: int, end: int) -> int:
    """Where the next line begins."""
    points = text.points
    two = place + 1 < end and points[place] == RETURN and points[place + 1] == NEWLINE
    return place + 2 if two else place + 1


@in_place
def stripped(text: Text, start: int, end: int) -> tuple[int, int]:
    """The bounds without white space at either end."""
    kinds = text.kinds
    while start < end and kinds[start] & c.SPACE:
        start += 1
    while end > start and kinds[end - 1] & c.SPACE:
        end -= 1
    return start, end


@in_place
def ends_in_ellipsis(points: Points, start: int, end: int) -> bool:
    """Whether it ends in `...` or `…`."""
    if end - start >= 3 and points[end - 1] == PERIOD:
        return bool(points[end - 2] == PERIOD and points[end - 3] == PERIOD)
    return bool(end > start and points[end - 1] == ELLIPSIS)


@in_place
def listed_lines(text: Text, end: int) -> tuple[int, int, int]:
    """Lines; those that begin with a bullet; those that end in an ellipsis."""
    points = text.points
    lines = bullets = ellipses = place = 0
    while place < end:
        stop = line_end(text, place, end)
        start, last = stripped(text, place, stop)
        lines += 1
        bullets += start < last and (points[start] == BULLET or points[start] == MINUS)
        ellipses += ends_in_ellipsis(text.points, start, last)
        place = after(text, stop, end)
    return lines, bullets, ellipses


@in_place
def count(points: Points, end: int, wanted: int) -> int:
    """How often a character occurs."""
    found = 0
    for place in range(end):
        found += points[place] == wanted
    return found


@in_place
def signs(points: Points, end: int) -> tuple[int, int]:
    """Number signs; ellipses, each `...` or `…`."""
    ellipses = count(points, end, ELLIPSIS)
    pairs = 0
    for place in range(1, end):
        pairs += (points[place] == PERIOD) & (points[place - 1] == PERIOD)
    place = 2 if pairs else end
    while place < end:
        if points[place] == PERIOD and points[place - 1] == PERIOD and points[place - 2] == PERIOD:
            ellipses += 1
            place += 2
        place += 1
    return count(points, end, NUMBER_SIGN), ellipses


@in_place
def kinds_of_tokens(text: Text, spans: Spans, count: int) -> tuple[int, int, int]:
    """Tokens that are no mere marks, the characters in them, and tokens with a letter."""
    kinds = text.kinds
    words = characters = lettered = 0
    for token in range(count):
        word = letter = False
        for place in range(spans[0, token], spans[1, token]):
            word = word or not kinds[place] & c.SYMBOL
            if kinds[place] & c.ALPHA:
                letter = True
                break
        word = word or letter
        words += word
        lettered += letter
        characters += (spans[1, token] - spans[0, token]) if word else 0
    return words, characters, lettered


@in_place
def stop_words(text: Text, spans: Spans, count: int, stops: Hashes) -> int:
    """How many different stop words are among the tokens, as they are written in the list.

    The text has room for three more characters than it has.
    """
    points = text.points
    found = 0
    for token in range(count):
        start, length = spans[0, token], spans[1, token] - spans[0, token]
        if length <= LONGEST_STOP:
            key, seen = np.uint64(length) << np.uint64(56), np.uint64(0)
            for place in range(LONGEST_STOP):
                point = np.uint64(points[start + place]) if place < length else np.uint64(0)
                seen |= point
                key |= point << np.uint64(8 * place)
            if seen < 128:
                for number in range(len(stops)):
                    found |= int(key == stops[number]) << number
    number = 0
    while found:
        number += found & 1
        found >>= 1
    return number


@in_place
def matches_at(text: Text, start: int, end: int, phrases: Points) -> int:
    """Length of the first of the phrases that stands at `start`, in any case, or 0."""
    points = text.points
    place = 0
    while place < len(phrases):
        first, at, equal = place, start, True
        while phrases[place] != 0:
            equal = equal and at < end and _lower(points[at]) == phrases[place]
            at += 1
            place += 1
        if equal:
            return place - first
        place += 1
    return 0


@in_place
def _lower(point: int) -> int:
    return point + 32 if 65 <= point <= 90 else point


@in_place
def holds(text: Text, start: int, end: int, phrases: Points, initials: int) -> bool:
    """Whether one of the phrases is there, in any case; `initials` has a bit for each of their first letters."""
    points = text.points
    for place in range(start, end):
        letter = _lower(points[place]) - 97
        if 0 <= letter < 26 and (initials >> letter) & 1 and matches_at(text, place, end, phrases):
            return True
    return False


@in_place
def line_shapes(text: Text, end: int) -> tuple[int, int, int]:
    """FineWeb's lines with text; those that end in punctuation; those of 30 characters or fewer."""
    kinds = text.kinds
    points = text.points
    lines = ended = short = start = 0
    while start <= end:
        stop, blank = start, True
        while stop < end and points[stop] != NEWLINE:
            blank = blank and kinds[stop] & c.SPACE != 0
            stop += 1
        if not blank:
            lines += 1
            ended += kinds[stop - 1] & c.TERMINAL != 0
            short += stop - start <= 30
        start = stop + 1
    return lines, ended, short
