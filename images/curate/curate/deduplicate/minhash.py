"""MinHash signatures in bands (Broder 1997), and the pairs of rows that share a band.

What comes out are candidates only: nothing is decided on an estimate.
"""

from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from curate.shingles import Hashes, Indices, Ragged, distinct, mix
from curate.similar import buckets, pack

FUNCTIONS = 125  # hash functions spent at most: 20 bands x 6 rows at 0.8, 25 x 5 at 0.7
RECALL = 0.985  # least share of the pairs exactly at the threshold that must share a band
CAP = 32  # members of a bucket that each other member is compared with; the rest follow in later rounds
EMPTY = np.uint64(0)

Mask: TypeAlias = npt.NDArray[np.bool_]
PackedPairs: TypeAlias = npt.NDArray[np.uint64]


class Bands(NamedTuple):
    """How a signature is cut: a pair is a candidate when all `rows` values of one of the `bands` are equal."""

    bands: int
    rows: int

    def recall(self, similarity: float) -> float:
        """Probability that a pair of this Jaccard similarity becomes a candidate."""
        return 1 - (1 - similarity**self.rows) ** self.bands


def bands_for(threshold: float) -> Bands:
    """The most selective bands that still find pairs at the threshold with a probability of at least `RECALL`."""
    cuts = [Bands(FUNCTIONS // rows, rows) for rows in range(1, FUNCTIONS // 2 + 1)]
    return [cut for cut in cuts if cut.recall(threshold) >= RECALL][-1]


class Engine(Protocol):
    """Who proposes candidates: a sketch per row, then pairs of rows with alike sketches."""

    def sketch(self, sets: Ragged) -> Hashes:
        """One sketch per row, shape `(rows, width)`; all zeros for a row without shingles."""

    def related(self, sketches: Hashes) -> Mask:
        """The rows that may ever be in a candidate pair."""

    def candidates(self, sketches: Hashes, alive: Mask) -> tuple[PackedPairs, bool]:
        """Packed pairs of living rows, and whether there may be more among those that are left."""


class Scan:
    """The house's own engine: a sketch is one key per band."""

    def __init__(self, cut: Bands, seed: int) -> None:
        self.cut, self.seed = cut, seed

    def sketch(self, sets: Ragged) -> Hashes:
        """Band keys."""
        return band_keys(sets, self.cut, self.seed)

    def related(self, sketches: Hashes) -> Mask:
        """Rows that share a band with another one."""
        return shared_buckets(sketches)

    def candidates(self, sketches: Hashes, alive: Mask) -> tuple[PackedPairs, bool]:
        """Pairs that share a band; of a large bucket only some at a time."""
        return candidates(sketches, alive)


def band_keys(sets: Ragged, cut: Bands, seed: int) -> Hashes:
    """One key per row and band, shape `(rows, bands)`; rows without shingles get unusable zeros."""
    count = len(sets.offsets) - 1
    filled = sets.lengths > 0
    keys = np.zeros((count, cut.bands), np.uint64)
    if not filled.any():
        return keys
    starts = sets.offsets[:-1][filled]
    multipliers, addends = _functions(cut.bands * cut.rows, seed)
    room = np.empty_like(sets.values)
    for function in range(cut.bands * cut.rows):
        np.multiply(sets.values, multipliers[function], out=room)
        room += addends[function]
        band = function // cut.rows
        keys[filled, band] = mix(keys[filled, band] + np.minimum.reduceat(room, starts))
    keys[filled] |= np.uint64(1)
    return keys


def shared_buckets(keys: Hashes) -> Mask:
    """Which rows share a band with any other row."""
    shared = np.zeros(len(keys), bool)
    for band in keys.T:
        rows = np.flatnonzero(band != EMPTY)
        order, spans = buckets(band[rows])
        for start, end in spans:
            shared[rows[order[start:end]]] = True
    return shared


def candidates(keys: Hashes, alive: Mask) -> tuple[PackedPairs, bool]:
    """Packed pairs of living rows that share a band, and whether a bucket was too large to list all of its pairs.

    In a large bucket each row is paired with the first `CAP` rows and with the one before it.
    """
    found, capped = np.empty(0, np.uint64), False
    for band in keys.T:
        rows = np.flatnonzero(alive & (band != EMPTY))
        order, spans = buckets(band[rows])
        members = rows[order]
        capped |= bool((np.diff(spans) > CAP + 1).any())
        found = distinct(np.concatenate([found, *_pairs_of_band(members, spans)]))
    return found, capped


def _pairs_of_band(members: Indices, spans: Indices) -> list[PackedPairs]:
    lengths = spans[:, 1] - spans[:, 0]
    starts = np.repeat(spans[:, 0], lengths)
    positions = np.arange(len(starts)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    pairs = []
    for first in range(min(CAP, int(lengths.max(initial=0)))):
        later = positions > first
        pairs.append(pack(members[starts[later] + first], members[(starts + positions)[later]]))
    beyond = (starts + positions)[positions > CAP]
    pairs.append(pack(members[beyond - 1], members[beyond]))
    return pairs


def _functions(count: int, seed: int) -> tuple[Hashes, Hashes]:
    """Multiply-add hash functions modulo 2**64; multipliers are odd, so each function is a permutation."""
    drawn = mix(np.arange(1, 2 * count + 1, dtype=np.uint64) + mix(np.full(1, seed, np.uint64)) * np.uint64(2))
    return drawn[:count] | np.uint64(1), drawn[count:]
