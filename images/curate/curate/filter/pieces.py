"""Texts as code points, and pieces of text with rules of their own: abbreviations, units, two words in one."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from curate.filter.characters import Classes
from curate.scan.in_place import in_place

Points: TypeAlias = npt.NDArray[np.uint32]
Numbers: TypeAlias = npt.NDArray[np.int32]
Spans: TypeAlias = npt.NDArray[np.int32]
"""Starts and ends of tokens, in characters, and room for marks that wait: shape `(3, longest + 1)`."""
Hashes: TypeAlias = npt.NDArray[np.uint64]

BASE, SPREAD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
KNOWN_SLOTS, LONGEST_KNOWN = 1024, 8
EIGHT, LAST_ASCII = np.uint64(8), np.uint64(0x7F)
WHOLE = (
    "a.m. p.m. Adm. Bros. co. Co. Corp. D.C. Dr. e.g. E.g. E.G. Gen. Gov. i.e. I.e. I.E. Inc. Jr. Ltd. Md. Messrs. Mo. "
    "Mont. Mr. Mrs. Ms. Ph.D. Prof. Rep. Rev. Sen. St. vs. v.s. Ala. Apr. Ariz. Ark. Aug. Calif. Colo. Conn. Dec. Del. "
    "Feb. Fla. Ga. Ia. Id. Ill. Ind. Jan. Jul. Jun. Kan. Kans. Ky. La. Mar. Mass. Mich. Minn. Miss. N.C. N.D. N.H. "
    "N.J. N.M. N.Y. Neb. Nebr. Nev. Nov. Oct. Okla. Ore. Pa. S.C. Sep. Sept. Tenn. Va. Wash. Wis. C++ o'clock and/or"
)
UNITS = (
    "km m dm cm mm ha nm yd in ft kg g mg t lb oz m/s km/h kmh mph hPa Pa mbar mb MB kb KB gb GB tb TB T G M K % am pm"
)

IN_TWO = {"cannot": 3, "Cannot": 3, "gonna": 3, "gotta": 3, "Gonna": 3, "Gotta": 3}
PERIOD, ELLIPSIS, COMMA, COLON, PLUS, AT, SLASH, QUESTION, HASH = map(ord, ".…,:+@/?#")
PERCENT, SQUARED, MINUS, CAPITAL_S = map(ord, "%²-S")
A, C, D, E, G, L, M, N, R, S, T, V = map(ord, "acdeglmnrstv")


class Text(NamedTuple):
    """One text as code points, and the bits of each (`characters.classes`); both are `(longest,)`, filled from 0."""

    points: Points
    kinds: Classes


class Known(NamedTuple):
    """Pieces with rules of their own: -1 is a unit after a number, 0 stays whole, else where it is cut."""

    keys: Hashes
    cuts: Numbers


@cache
def known() -> Known:
    """The table of abbreviations, units and the like."""
    found = Known(np.zeros(KNOWN_SLOTS, np.uint64), np.zeros(KNOWN_SLOTS, np.int32))
    rules: Iterable[tuple[str, int]] = [
        *((text, 0) for text in WHOLE.split()),
        *((text, -1) for text in UNITS.split()),
        *IN_TWO.items(),
    ]
    for text, cut in rules:
        points = np.array([ord(character) for character in text], np.uint32)
        _learn(found, points, cut)
    return found


@in_place
def _learn(rules: Known, piece: Points, cut: int) -> None:
    key = _packed(piece, 0, len(piece))
    slot = _slot(rules.keys, key)
    rules.keys[slot] = key
    rules.cuts[slot] = cut


@in_place
def _packed(points: Points, start: int, end: int) -> np.uint64:
    """Up to 8 ASCII characters in one number; 0 for others and behind a null, which no known piece has."""
    key = seen = np.uint64(0)
    for place in range(start, end):
        point = np.uint64(points[place])
        seen |= point
        key = key << EIGHT | point
    return key if seen <= LAST_ASCII and points[start] else np.uint64(0)


@in_place
def _slot(keys: Hashes, key: np.uint64) -> int:
    slot = np.int64(key * BASE >> np.uint64(54))
    while keys[slot] != np.uint64(0) and keys[slot] != key:
        slot = (slot + 1) % KNOWN_SLOTS
    return int(slot)


@in_place
def cut_of(points: Points, start: int, end: int, rules: Known) -> int:
    """The rule for a known piece, or -2."""
    if end - start > LONGEST_KNOWN:
        return -2
    key = _packed(points, start, end)
    slot = _slot(rules.keys, key)
    return rules.cuts[slot] if key and rules.keys[slot] == key else -2
