"""Near-duplicates among rows in order of preference: buckets of alike signatures, then a walk that compares sets."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from curate.deduplicate.bands import Bands
from curate.deduplicate.shelf import Sets
from curate.room import room
from curate.scan.arrays import F64s, I32s, I64s, U8s, U64s
from curate.shingles import offsets_of
from curate.threads import in_order

LoadSets = Callable[[I64s], Sets]
"""Gives the sets of n-grams of some rows, by ascending row number."""

KEYS = 8 << 20  # band keys sorted at once: 64 MB
MARGIN = 0.15  # how far below the threshold a signature may be: four standard deviations of 125 functions


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


def near_duplicates(
    nodes: Nodes, signatures: U8s, cut: Bands, threshold: float, load: LoadSets, folder: Path | None = None
) -> Choice:
    """Who repeats whom: a node goes when a kept one before it has a Jaccard similarity of `threshold` or more.

    `signatures` has shape `(rows, functions)`; sets are loaded only of nodes that share a band with one to be compared.
    """
    from curate.deduplicate.walk import related_of, walk

    buckets = buckets_of(nodes.rows, signatures, cut, folder)
    live = np.zeros(len(buckets.starts) - 1, np.uint8)
    values, places = _sets(nodes, related_of(buckets.own, buckets.bases, nodes.settled, live), load)
    members = room(int(buckets.starts[-1]), np.int32, folder)
    filled = np.zeros(len(buckets.starts) - 1, np.int32)
    partner, similarity = np.empty(len(nodes.rows), np.int64), np.empty(len(nodes.rows))
    alike = alike_places(cut.functions, threshold)
    counts = walk(
        *buckets, members, filled, nodes.settled, signatures, nodes.rows, nodes.sizes, places, values,
        threshold, alike, partner, similarity,
    )  # fmt: skip
    return Choice(partner, similarity, *counts)


def alike_places(functions: int, threshold: float) -> int:
    """Equal places of two signatures below which their sets are not compared."""
    return max(0, int(functions * (threshold - MARGIN)))


def buckets_of(rows: I64s, signatures: U8s, cut: Bands, folder: Path | None) -> Buckets:
    """Sort the nodes by each band; some bands at a time, each in a thread."""
    from curate.deduplicate.walk import CAP, keys_of

    own = room((len(rows), cut.bands), np.int32, folder)
    sizes: list[I32s] = []
    step = min(cut.bands, max(1, KEYS // max(1, len(rows))))
    for first in range(0, cut.bands, step):
        keys = np.empty((min(step, cut.bands - first), len(rows)), np.uint64)
        keys_of(signatures, rows, first * cut.rows, cut.rows, keys)
        pairs = [(row, own[:, first + band]) for band, row in enumerate(keys)]
        sizes += in_order(_numbered, pairs)
    starts = offsets_of(np.minimum(np.concatenate(sizes), CAP + 1)) if sizes else np.zeros(1, np.int64)
    return Buckets(own, offsets_of(np.array(list(map(len, sizes)))), starts)


def _numbered(item: tuple[U64s, I32s]) -> I32s:
    from curate.deduplicate.walk import number_buckets, sort_keys

    keys, own = item
    sizes = np.empty(len(keys) // 2 + 1, np.int32)
    return sizes[: number_buckets(sort_keys(keys, np.empty_like(keys)), own, sizes)].copy()


def _sets(nodes: Nodes, related: I64s, load: LoadSets) -> tuple[U64s, I64s]:
    """The sets of some nodes, and where each node's begins."""
    by_row = related[np.argsort(nodes.rows[related])]
    sets = load(nodes.rows[by_row])
    places = np.full(len(nodes.rows), -1, np.int64)
    places[by_row] = sets.places
    return sets.values, places
