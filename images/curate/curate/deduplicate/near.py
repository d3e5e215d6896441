"""Near-duplicates among rows in order of preference: buckets of alike signatures, then a walk that compares sets."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from curate.deduplicate.bands import Bands
from curate.deduplicate.shelf import Sets
from curate.room import room
from curate.scan.arrays import F64s, I32s, I64s, U8s, U64s
from curate.scan.ready import Ready
from curate.scan.scratch import room_for_slots
from curate.shingles import offsets_of
from curate.threads import in_order

LoadSets = Callable[[I64s], Sets]
"""Gives the sets of n-grams of some rows, by ascending row number."""

KEYS = 8 << 20  # band keys sorted at once: 64 MB
CAP = 32  # kept members of a bucket that each later member is compared with, and the latest one beside them
KEPT = -1
DIGITS = 2048  # that a sort of keys tells apart at once
MARGIN = 0.15  # how far below the threshold a signature may be: four standard deviations of 125 functions

KEYS_OF, SORT_KEYS, NUMBER_BUCKETS, RELATED_OF, WALK = (
    Ready("curate.deduplicate.walk", name) for name in ("keys_of", "sort_keys", "number_buckets", "related_of", "walk")
)


class Choice(NamedTuple):
    """For each node the kept node that it repeats, or `KEPT`, and their similarity; pairs proposed and compared."""

    partner: I64s
    similarity: F64s
    proposed: int
    compared: int


class Buckets(NamedTuple):
    """Nodes of equal bands: `own[node, band]` is the bucket's number in its band or -1, `bases` each band's first
    bucket, `starts` where each bucket has its members."""

    own: I32s
    bases: I64s
    starts: I64s


class Nodes(NamedTuple):
    """What is compared, best first: row numbers, sizes of the sets, whether a node stays without being compared."""

    rows: I64s
    sizes: I64s
    settled: U8s


class Desk(NamedTuple):
    """What a walk works with: room for a hash table of a set, for each node the last one that saw it, room for the
    nodes that one sees, and for how many pairs were proposed."""

    slots: U64s
    seen: I32s
    found: I32s
    proposed: I64s


def near_duplicates(
    nodes: Nodes, signatures: U8s, cut: Bands, threshold: float, load: LoadSets, folder: Path | None = None
) -> Choice:
    """Who repeats whom: a node goes when a kept one before it has a Jaccard similarity of `threshold` or more.

    `signatures` has shape `(rows, functions)`; sets are loaded only of nodes that share a band with one to be compared.
    """
    buckets = buckets_of(nodes.rows, signatures, cut, folder)
    values, places = _sets(nodes, _related(nodes, buckets), load)
    members = room(int(buckets.starts[-1]), np.int32, folder)
    filled = np.zeros(len(buckets.starts) - 1, np.int32)
    partner, similarity = np.empty(len(nodes.rows), np.int64), np.empty(len(nodes.rows))
    alike, desk = alike_places(cut.functions, threshold), _desk(nodes, cut)
    compared = WALK(
        *buckets, members, filled, nodes.settled, signatures, nodes.rows, nodes.sizes, places, values,
        float(threshold), alike, desk, partner, similarity,
    )  # fmt: skip
    return Choice(partner, similarity, int(desk.proposed[0]), compared)


def alike_places(functions: int, threshold: float) -> int:
    """Equal places of two signatures below which their sets are not compared."""
    return max(0, int(functions * (threshold - MARGIN)))


def buckets_of(rows: I64s, signatures: U8s, cut: Bands, folder: Path | None) -> Buckets:
    """Sort the nodes by each band; some bands at a time, each in a thread."""
    own = room((len(rows), cut.bands), np.int32, folder)
    sizes: list[I32s] = []
    step = min(cut.bands, max(1, KEYS // max(1, len(rows))))
    for first in range(0, cut.bands, step):
        keys = np.empty((min(step, cut.bands - first), len(rows)), np.uint64)
        KEYS_OF(signatures, rows, first * cut.rows, cut.rows, keys)
        sizes += in_order(_numbered, [(row, own, first + band) for band, row in enumerate(keys)])
    starts = offsets_of(np.minimum(np.concatenate(sizes), CAP + 1)) if sizes else np.zeros(1, np.int64)
    return Buckets(own, offsets_of(np.array(list(map(len, sizes)))), starts)


def _numbered(item: tuple[U64s, I32s, int]) -> I32s:
    """Enter one band's buckets into `own`; returns their sizes."""
    keys, own, band = item
    ordered, sizes = np.empty_like(keys), np.empty(len(keys) // 2 + 1, np.int32)
    SORT_KEYS(keys, ordered, np.empty(DIGITS + 1, np.int64))
    return sizes[: NUMBER_BUCKETS(ordered, own, band, sizes)].copy()


def _related(nodes: Nodes, buckets: Buckets) -> I64s:
    """Nodes that share a band with one to be compared."""
    live, related = np.zeros(len(buckets.starts) - 1, np.uint8), np.empty(len(nodes.rows), np.int64)
    return related[: RELATED_OF(buckets.own, buckets.bases, nodes.settled, live, related)]


def _desk(nodes: Nodes, cut: Bands) -> Desk:
    slots = room_for_slots(int(nodes.sizes.max(initial=0)))
    seen, found = np.full(len(nodes.rows), -1, np.int32), np.empty((CAP + 1) * cut.bands, np.int32)
    return Desk(slots, seen, found, np.zeros(1, np.int64))


def _sets(nodes: Nodes, related: I64s, load: LoadSets) -> tuple[U64s, I64s]:
    """The sets of some nodes, and where each node's begins."""
    by_row = related[np.argsort(nodes.rows[related])]
    sets = load(nodes.rows[by_row])
    places = np.full(len(nodes.rows), -1, np.int64)
    places[by_row] = sets.places
    return sets.values, places
