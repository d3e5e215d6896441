"""Web and mail addresses: a host name with a lower-case ending, perhaps a scheme before it and a path behind."""

from curate.filter import characters as c
from curate.filter.arrays import Text
from curate.filter.pieces import AT, COLON, HASH, PERIOD, PLUS, QUESTION, SLASH
from curate.scan.in_place import in_place


@in_place
def is_address(text: Text, start: int, end: int) -> bool:
    """Whether a piece looks like a web or mail address: a host name with a lower-case ending, then perhaps a path."""
    points, kinds = text.points, text.kinds
    dotted, scheme, host = False, True, start
    for place in range(start, end):
        if points[place] == PERIOD:
            dotted = True
        elif points[place] == AT and _is_host(text, place + 1, end):
            return True
        elif scheme and points[place] == COLON:
            slashes = place + 2 < end and points[place + 1] == SLASH and points[place + 2] == SLASH
            host = place + 3 if slashes and place - start >= 2 else host
        scheme = scheme and (kinds[place] & c.HOST or points[place] in (PERIOD, PLUS))
    return dotted and _is_host(text, host, end)


@in_place
def _is_host(text: Text, start: int, end: int) -> bool:
    """Whether a piece is a host name with a lower-case ending, then perhaps a port and a path."""
    points, kinds = text.points, text.kinds
    place = label = start
    while place < end and (points[place] == PERIOD or kinds[place] & c.HOST):
        if points[place] == PERIOD:
            if place == label or not kinds[place - 1] & c.ALNUM:
                return False
            label = place + 1
        place += 1
    if label == start or not 2 <= place - label <= 63:
        return False
    for letter in range(label, place):
        if not kinds[letter] & c.LOWER:
            return False
    if place < end and points[place] == COLON:
        place = _after_port(text, place + 1, end)
    return place == end or points[place] in (SLASH, QUESTION, HASH)


@in_place
def _after_port(text: Text, start: int, end: int) -> int:
    """Where a port number of 2 to 5 digits ends; its colon where there is none."""
    kinds = text.kinds
    place = start
    while place < end and kinds[place] & c.DIGIT:
        place += 1
    return place if 2 <= place - start <= 5 else start - 1
