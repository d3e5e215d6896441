"""What the compiled loops of the measures work in: arrays, named tuples of them, and room for a text of some length.

Apart from the loops, since whoever imports those loads numba.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from curate.filter.characters import Classes
from curate.scan.ready import Ready

Values: TypeAlias = npt.NDArray[np.float64]
Points: TypeAlias = npt.NDArray[np.uint32]
Numbers: TypeAlias = npt.NDArray[np.int32]
Spans: TypeAlias = npt.NDArray[np.int32]
"""Starts and ends of tokens, in characters, and room for marks that wait: shape `(3, longest + 1)`."""
Hashes: TypeAlias = npt.NDArray[np.uint64]

Bytes: TypeAlias = npt.NDArray[np.uint8]
Offsets: TypeAlias = npt.NDArray[np.int64]

OPENING = 100_000  # tokens whose n-grams are counted; Gopher drops longer texts anyway
ROOMY = 4  # slots for each key: few keys meet another one where they would be
KNOWN_SLOTS = 1024
MARGIN = 8  # characters of room beyond a text's end
TOP = (2, 3, 4)
BASE, SPREAD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
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
LEARN = Ready("curate.filter.pieces", "learn")


class Text(NamedTuple):
    """One text as code points, and the bits of each (`characters.classes`); both are `(longest,)`, filled from 0."""

    points: Points
    kinds: Classes


class Known(NamedTuple):
    """Pieces with rules of their own: -1 is a unit after a number, 0 stays whole, else where it is cut."""

    keys: Hashes
    cuts: Numbers


class Table(NamedTuple):
    """A hash table: keys, 0 being an empty slot; how often each came, and the first item that it came with."""

    keys: Hashes
    counts: Numbers
    firsts: Numbers


class Sums(NamedTuple):
    """Sums over all tokens' characters in a row: `characters` has how many come before each token, `hashes` the hash of
    those that come before each of them.

    `powers` are those of the hash's base; `runs` has room for a hash of each run of tokens, `starts` for tokens.
    """

    hashes: Hashes
    characters: Numbers
    powers: Hashes
    runs: Hashes
    starts: Numbers


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


def new_table(longest: int) -> Table:
    """A table for the lines, or for the opening's n-grams, of a text of that many characters."""
    counted = _slots(min(longest, OPENING))
    return Table(np.zeros(_slots(longest + 1), np.uint64), np.zeros(counted, np.int32), np.zeros(counted, np.int32))


def new_sums(longest: int) -> Sums:
    """Room for the sums of a text of that many characters."""
    powers = np.full(longest + 1, BASE, np.uint64)
    powers[0] = 1
    tokens = min(longest, OPENING) + 1
    characters, starts = (np.zeros(tokens, np.int32) for _ in range(2))
    hashes = np.zeros(longest + 1, np.uint64)
    return Sums(hashes, characters, np.cumprod(powers, dtype=np.uint64), np.zeros(tokens, np.uint64), starts)


def _slots(items: int) -> int:
    return 1 << max(4, (ROOMY * items - 1).bit_length())


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
        LEARN(found, points, cut)
    return found


def room_for(longest: int) -> Room:
    """Room for texts of up to so many characters."""
    return Room(
        _text(longest),
        _text(longest),
        np.zeros((3, longest + 2), np.int32),
        new_sums(longest),
        new_table(longest),
        np.zeros(len(TOP), np.int32),
    )


def _text(longest: int) -> Text:
    return Text(np.zeros(longest + MARGIN, np.uint32), np.zeros(longest + MARGIN, np.uint32))
