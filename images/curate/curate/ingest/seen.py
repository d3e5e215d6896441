"""Which ids came before, of any number of them, in bounded memory."""

import hashlib
import struct
from bisect import bisect_left
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curate.room import room

HELD = 3_000_000
"""Ids held as they are (some 100 bytes each); older ones are digests of 128 bits, in files where they are many."""
MARKS = 1 << 29
"""Bits that say which digests may have come before (64 MB): a new id is mostly told from them alone."""
Halves = npt.NDArray[np.uint64]


class _Run(NamedTuple):
    """Digests in order: views of their first halves, for a search that makes no array scalars, and of their second."""

    high: memoryview
    low: memoryview

    def holds(self, digest: tuple[int, int]) -> bool:
        """Whether a digest is among them."""
        place = bisect_left(self.high, digest[0])
        while place < len(self.high) and self.high[place] == digest[0]:
            if self.low[place] == digest[1]:
                return True
            place += 1
        return False


class SeenIds:
    """A set of ids that only grows; large arrays lie in `folder`."""

    def __init__(self, folder: Path, held: int = HELD) -> None:
        self._folder, self._held = folder, held
        self._recent: set[str] = set()
        self._runs: list[_Run] = []
        self._marks = bytearray()

    def add(self, name: str) -> bool:
        """Put an id in; False where it was there before."""
        if name in self._recent:
            return False
        if self._runs:
            digest = _digest(name)
            if self._known(digest):
                return False
        self._recent.add(name)
        if len(self._recent) >= self._held:
            self._put_away()
        return True

    def _known(self, digest: tuple[int, int]) -> bool:
        mark = digest[0] % MARKS
        return bool(self._marks[mark >> 3] >> (mark & 7) & 1) and any(run.holds(digest) for run in self._runs)

    def _put_away(self) -> None:
        """The recent ids as a run; runs are merged with their like, so that they stay few."""
        halves = np.array([_digest(name) for name in self._recent], np.uint64)
        self._recent = set()
        self._mark(halves[:, 0] % np.uint64(MARKS))
        run = self._sorted([halves[:, 0]], [halves[:, 1]])
        while self._runs and len(self._runs[-1].high) <= len(run.high):
            other = self._runs.pop()
            run = self._sorted(_arrays(run.high, other.high), _arrays(run.low, other.low))
        self._runs.append(run)

    def _mark(self, marks: Halves) -> None:
        self._marks = self._marks or bytearray(MARKS // 8)
        bits = np.frombuffer(self._marks, np.uint8)
        np.bitwise_or.at(bits, marks >> np.uint64(3), (1 << (marks & np.uint64(7))).astype(np.uint8))

    def _sorted(self, highs: list[Halves], lows: list[Halves]) -> _Run:
        high, low = (room(sum(map(len, parts)), np.uint64, self._folder) for parts in (highs, lows))
        np.concatenate(highs, out=high)
        order = np.argsort(high)
        high[:] = high[order]
        low[:] = np.concatenate(lows)[order]
        return _Run(high.data, low.data)


def _digest(name: str) -> tuple[int, int]:
    high, low = struct.unpack("<QQ", hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest())
    return high, low


def _arrays(*views: memoryview) -> list[Halves]:
    return [np.frombuffer(view, np.uint64) for view in views]
