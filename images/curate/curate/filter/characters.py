"""What each character is to the rules, as one table of bits over code points."""

import string
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Classes: TypeAlias = npt.NDArray[np.uint32]

SPACE, ALPHA, ALNUM, DIGIT, LOWER, UPPER = 1, 2, 4, 8, 16, 32
OPENS, CLOSES, QUOTE, ICON = 64, 128, 256, 512
"""Split off at the front of a token, at its end; quotation marks; pictures and signs."""
PUNCTUATION, SYMBOL, TERMINAL, CURRENCY = 1024, 2048, 4096, 8192
"""Unicode category P; what makes no word by itself; what ends a sentence; money."""

APOSTROPHE, HYPHEN, RELATION, SUM, HOST, LINE_END = 16384, 32768, 65536, 131072, 262144, 524288
"""' and ’; what joins words; : < = > /; + - * ^ between numbers; what host names are made of; what `str.splitlines`
cuts at."""

CATEGORIES = dict.fromkeys(("Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps"), PUNCTUATION) | {
    "Sc": OPENS | CURRENCY,
    "So": OPENS | CLOSES | ICON,
}
ASSIGNED = 0x40000  # beyond it is nothing that a rule looks at
LAST_MARK = 0x20000  # beyond it there are letters and private characters only
QUOTES = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉⟦⟧"
MARKS = "….,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪".replace(".", "")  # a full stop has rules of its own
SIGNS = "§%=—–"
SYMBOLS = string.punctuation + "—”％１〈、━【「」，】；“《„’∶´．（–？！：～«〉》）。…►»"
LINE_ENDS = "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
SENTENCE_ENDS = (
    "21 2E 3F 589 61D-61F 6D4 700-702 7F9 837 839 83D-83E 964-965 104A-104B 1362 1367-1368 166E 1735-1736 17D4-17D6 "
    "17D9-17DA 1803 1809 1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1B7D-1B7E 1C3B-1C3C 1C7E-1C7F 203C-203D 2047-2049 "
    "2E2E 2E3C 2E53-2E54 3002 A4FF A60E-A60F A6F3 A6F7 A876-A877 A8CE-A8CF A92F A9C8-A9C9 AA5D-AA5F AAF0-AAF1 ABEB "
    "FE52 FE56-FE57 FF01 FF0E FF1F FF61 10A56-10A57 10F55-10F59 10F86-10F89 11047-11048 110BE-110C1 11141-11143 "
    "111C5-111C6 111CD 111DE-111DF 11238-11239 1123B-1123C 112A9 1144B-1144C 115C2-115C3 115C9-115D7 11641-11642 "
    "1173C-1173E 11944 11946 11A42-11A43 11A9B-11A9C 11C41-11C42 11EF7-11EF8 11F43-11F44 16A6E-16A6F 16AF5 16B37-16B38 "
    "16B44 16E98 1BC9F 1DA88"
)
"""Unicode's property Sentence_Terminal, as ranges of code points."""


@cache
def classes() -> Classes:
    """The bits of each code point, shape `(0x40000,)`; all others have none."""
    table = np.zeros(ASSIGNED, np.uint32)
    text = np.arange(ASSIGNED, dtype=np.uint32).view("<U1")
    lower, upper, alpha = np.char.islower(text), np.char.isupper(text), np.char.isalpha(text)
    caseless = alpha & ~lower & ~upper
    table[np.char.isspace(text)] |= SPACE
    table[alpha] |= ALPHA
    table[np.char.isalnum(text)] |= ALNUM
    table[np.char.isdecimal(text)] |= DIGIT
    table[lower | caseless] |= LOWER  # letters without case are taken for either, as spaCy does
    table[upper | caseless] |= UPPER
    _mark(table, OPENS | CLOSES, MARKS + QUOTES)
    _mark(table, OPENS, SIGNS)
    _mark(table, CLOSES, "—–")
    _mark(table, QUOTE, QUOTES)
    _mark(table, APOSTROPHE, "'’")
    _mark(table, HYPHEN, "-–—~")
    _mark(table, RELATION, ":<=>/")
    _mark(table, SUM, "+-*^")
    _mark(table, LINE_END, LINE_ENDS)
    table[(table & ALNUM) > 0] |= HOST
    _mark(table, HOST, "-_")
    _mark(table, SYMBOL, SYMBOLS)
    table[[*range(9), *range(11, 32), *range(127, 160)]] |= SYMBOL
    table[_ranges(SENTENCE_ENDS)] |= TERMINAL | SYMBOL
    for point in np.flatnonzero(~table[:LAST_MARK] & ALNUM).tolist():
        if bits := CATEGORIES.get(unicodedata.category(chr(point))):
            table[point] |= bits
    return table


def _mark(table: Classes, bits: int, characters: Iterable[str]) -> None:
    table[[ord(character) for character in characters]] |= bits


def _ranges(text: str) -> list[int]:
    """Code points of hexadecimal ranges."""
    bounds = [(part.split("-")[0], part.split("-")[-1]) for part in text.split()]
    return [point for first, last in bounds for point in range(int(first, 16), int(last, 16) + 1)]
