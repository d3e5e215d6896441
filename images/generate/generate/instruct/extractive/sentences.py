"""Whole sentences of a paragraph, by their characters."""

import re

END = re.compile(r"[.!?…][\"'”’)\]*_`]*(?=\s|$)|[。！？]")
# Words that a full stop belongs to; one letter alone (an initial) and a bare number (a list's) count as such too.
SHORTENED = """
e.g i.e etc vs cf al ca approx dr mr mrs ms prof st no nos fig figs eq sec ch vol ed eds inc ltd co jr sr p pp resp
z.b d.h u.a bzw usw p.ex
"""
ABBREVIATIONS = frozenset(SHORTENED.split())
LAST_WORD = re.compile(r"([\w.]+)[.!?…]?$")


def sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The spans of the whole sentences between `start` and `end`; what follows the last one is left out."""
    found: list[tuple[int, int]] = []
    begin = start
    for match in END.finditer(text, start, end):
        if _is_end(text, begin, match.start()):
            begin += len(text[begin : match.end()]) - len(text[begin : match.end()].lstrip())
            found.append((begin, match.end()))
            begin = match.end()
    return found


def _is_end(text: str, begin: int, stop: int) -> bool:
    """A full stop after an abbreviation, an initial or a lone number ends nothing."""
    if text[stop] not in ".…":
        return True
    word = LAST_WORD.search(text[begin:stop])
    if word is None:
        return True
    bare = word.group(1).rstrip(".").lower()
    alone = len(bare) == 1 and bare.isalpha()
    return not (bare in ABBREVIATIONS or alone or (bare.isdigit() and word.start() == 0))
