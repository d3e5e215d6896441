"""True Jaccard similarity of sets, and all pairs of sets that reach a threshold.

`similar_pairs` finds every such pair, by prefix filtering (Bayardo et al. 2007, Xiao et al. 2008): ordered from rare to
common, two sets of Jaccard >= t share a value among their first `size - ceil(t * size) + 1` ones. Nothing is estimated,
so a split made from it cannot leak.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curate.shingles import Indices, Ragged, distinct, offsets_of

CHUNK = 2_000_000  # set values compared at once: 16 MB of keys
ROUNDING = 1e-9  # 0.7 * 30 may come out above 21


class Pairs(NamedTuple):
    """Rows that are alike: `left[i] < right[i]`, with their Jaccard similarity."""

    left: Indices
    right: Indices
    jaccard: npt.NDArray[np.float64]


def numbered(sets: Ragged) -> Ragged:
    """The same sets with values 0, 1, 2 ... from the rarest to the commonest, each row sorted."""
    _, inverse, counts = np.unique(sets.values, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.uint64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts), dtype=np.uint64)
    owners = np.repeat(np.arange(len(sets.offsets) - 1, dtype=np.uint64), sets.lengths)
    keys = np.sort(owners << np.uint64(32) | rank[inverse])
    return Ragged(keys & np.uint64(0xFFFFFFFF), sets.offsets)


def jaccard(sets: Ragged, left: Indices, right: Indices) -> npt.NDArray[np.float64]:
    """Jaccard similarity of each pair of rows of `numbered` sets; 0 where both are empty."""
    sizes = sets.lengths[left] + sets.lengths[right]
    common = np.zeros(len(left), np.int64)
    for start, end in _chunks(sizes):
        common[start:end] = _common(sets, left[start:end], right[start:end])
    similarity: npt.NDArray[np.float64] = common / np.maximum(sizes - common, 1)
    return similarity


def similar_pairs(sets: Ragged, threshold: float) -> Pairs:
    """All pairs of rows of `numbered` sets whose Jaccard similarity is at least `threshold`, sorted."""
    found = [np.empty((0, 3))]
    for left, right in _candidates(sets, threshold):
        similarity = jaccard(sets, left, right)
        enough = similarity >= threshold
        found.append(np.column_stack([left[enough], right[enough], similarity[enough]]))
    rows = np.unique(np.concatenate(found), axis=0)
    return Pairs(rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2])


def of_like_size(sets: Ragged, left: Indices, right: Indices, threshold: float) -> npt.NDArray[np.bool_]:
    """Which pairs can reach the threshold at all, by their sizes."""
    sizes = sets.lengths
    a, b = sizes[left], sizes[right]
    possible: npt.NDArray[np.bool_] = np.minimum(a, b) >= threshold * np.maximum(a, b) - ROUNDING
    return possible


def links(sets: Ragged, threshold: float) -> tuple[Indices, Indices]:
    """Pairs of rows that tie together all rows of sets with a Jaccard similarity of at least `threshold`.

    Of rows with equal sets each is tied to the first only, so thousands of equal texts cost nothing.
    """
    seen: dict[bytes, int] = {}
    first = np.array(
        [
            seen.setdefault(hashlib.sha256(sets.row(row).tobytes()).digest(), row)
            for row in range(len(sets.offsets) - 1)
        ],
        np.int64,
    )
    copies = np.flatnonzero((first != np.arange(len(first))) & (sets.lengths > 0))
    distinct = np.flatnonzero(first == np.arange(len(first)))
    pairs = similar_pairs(numbered(sets.take(distinct)), threshold)
    left = np.concatenate([first[copies], distinct[pairs.left]])
    return left, np.concatenate([copies, distinct[pairs.right]])


def connected(count: int, left: Indices, right: Indices) -> Indices:
    """The number of each row's group, where pairs tie rows together; groups are numbered by their first row."""
    from scipy.sparse import coo_array  # only here: it takes a quarter of a second to import
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(count, count))
    labels: Indices = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def unpack(pairs: npt.NDArray[np.uint64]) -> tuple[Indices, Indices]:
    """Pairs packed as `left << 32 | right`, as two arrays."""
    return (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)


def pack(left: npt.NDArray[np.integer], right: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
    """Pairs as one sortable number each, the smaller row first."""
    low, high = np.minimum(left, right).astype(np.uint64), np.maximum(left, right).astype(np.uint64)
    packed: npt.NDArray[np.uint64] = low << np.uint64(32) | high
    return packed


def buckets(keys: npt.NDArray[np.uint64]) -> tuple[Indices, Indices]:
    """Rows that share a key: row numbers sorted by key then row, and where each group of two or more starts and ends.

    The second array has shape `(groups, 2)`.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    bounds = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]]))
    spans = np.column_stack([bounds[:-1], bounds[1:]])
    return order, spans[spans[:, 1] - spans[:, 0] > 1]


def _candidates(sets: Ragged, threshold: float) -> Iterator[tuple[Indices, Indices]]:
    """Pairs that share a prefix value and whose sizes allow the threshold, a bounded number at a time."""
    values, owners = _prefixes(sets, threshold)
    order, spans = buckets(values)
    held: list[npt.NDArray[np.uint64]] = []
    for distance in range(1, int(np.diff(spans).max(initial=0))):
        spans = spans[spans[:, 1] - spans[:, 0] > distance]
        first = _ranges(spans[:, 0], spans[:, 1] - distance)
        left, right = owners[order[first]], owners[order[first + distance]]
        possible = of_like_size(sets, left, right, threshold)
        held.append(pack(left[possible], right[possible]))
        if sum(map(len, held)) > CHUNK:
            yield unpack(distinct(np.concatenate(held)))
            held = []
    if held:
        yield unpack(distinct(np.concatenate(held)))


def _prefixes(sets: Ragged, threshold: float) -> tuple[npt.NDArray[np.uint64], Indices]:
    """The rarest values of each set, as many as the threshold asks for, with the rows they belong to."""
    sizes = sets.lengths
    lengths = np.where(sizes > 0, sizes - np.ceil(threshold * sizes - ROUNDING).astype(np.int64) + 1, 0)
    positions = _ranges(sets.offsets[:-1], sets.offsets[:-1] + lengths)
    return sets.values[positions], np.repeat(np.arange(len(sizes)), lengths)


def _common(sets: Ragged, left: Indices, right: Indices) -> Indices:
    """How many values each pair shares: both sides are sorted by pair and value, so one is looked up in the other."""
    pair = np.arange(len(left), dtype=np.uint64) << np.uint64(32)
    few, many = (np.repeat(pair, side.lengths) | side.values for side in (sets.take(left), sets.take(right)))
    places = np.minimum(np.searchsorted(many, few), max(len(many) - 1, 0))
    shared = few[many[places] == few] if len(many) else few[:0]
    return np.bincount((shared >> np.uint64(32)).astype(np.int64), minlength=len(left))


def _ranges(starts: Indices, ends: Indices) -> Indices:
    """All numbers of several ranges, one range after another."""
    offsets = offsets_of(ends - starts)
    return np.repeat(starts - offsets[:-1], ends - starts) + np.arange(offsets[-1])


def _chunks(sizes: Indices) -> Iterator[tuple[int, int]]:
    """Runs of pairs of at most `CHUNK` set values, or of one pair."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = ends[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + CHUNK, side="right")))
        yield start, end
        start = end
