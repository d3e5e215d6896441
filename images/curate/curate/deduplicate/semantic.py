"""Rows that mean the same: candidates by clusters of their vectors, their true cosine, and who stays.

SemDeDup (Abbas et al. 2023, "SemDeDup: data-efficient learning at web-scale through semantic deduplication") compares
the rows of a k-means cluster and keeps the one farthest from its centroid; here every row that goes also has a kept
partner whose cosine reaches the threshold, which a cluster alone does not promise.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from contract.config.semantic import Semantic
from contract.failures import BadConfig
from curate.deduplicate.greedy import KEPT, cosines, decide
from curate.deduplicate.groups import Alike, centrality, complete_groups, dense_regions
from curate.deduplicate.neighbourhoods import (
    PER_CLUSTER,
    PROBES,
    TOGETHER,
    Neighbourhoods,
    Partition,
    above,
    k_means,
    one_cluster,
)
from curate.embed.embedder import Vectors
from curate.room import room
from curate.scan.arrays import F64s, I64s, U8s
from curate.similar import connected

BLOCK = 1024  # rows decided at once
MOST = 20_000_000  # pairs held at once: 500 MB
ROUNDING = 1e-6  # vectors of single precision are that far from length 1


class Nodes(NamedTuple):
    """Rows in order of preference: their vectors; the earlier row that each was already dropped for, or -1; ones for
    rows that stay, whatever they repeat."""

    vectors: Vectors
    follows: I64s
    settled: U8s

    def take(self, order: I64s, folder: Path | None) -> "Nodes":
        """The same rows in another order, in which none comes before the one it follows."""
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        vectors = room(self.vectors.shape, np.float32, folder)
        for start in range(0, len(order), BLOCK):
            vectors[start : start + BLOCK] = self.vectors[order[start : start + BLOCK]]
        follows = self.follows[order]
        return Nodes(vectors, np.where(follows < 0, follows, place[follows]), self.settled[order])


class Choice(NamedTuple):
    """For each node the kept node that it repeats, `KEPT`, or `FOLLOWS` where it stays dropped for the one it follows;
    and their cosine."""

    partner: I64s
    cosine: F64s


def semantic_duplicates(nodes: Nodes, config: Semantic, seed: int, folder: Path | None = None) -> Choice:
    """Who repeats whom. Large arrays lie in `folder`.

    The order of nodes alone counts, not that of the input's rows; threads and their number play no part. Raises
    `BadConfig` where a grouping needs more pairs than fit.
    """
    if not len(nodes.vectors):
        return Choice(np.empty(0, np.int64), np.empty(0))
    partition = _partition(nodes.vectors, config, seed)
    if config.keep == "preferred" and config.grouping in ("pairs", "kmeans"):
        return _walk(nodes, partition, config, folder)
    if config.grouping == "kmeans":
        order = _order(nodes, partition.homes, config.keep)
        homes = Partition(partition.homes[order], partition.probes[order], partition.clusters)
        return _back(_walk(nodes.take(order, folder), homes, config, folder), order)
    return _within_groups(nodes, partition, config, folder)


def _partition(vectors: Vectors, config: Semantic, seed: int) -> Partition:
    if config.grouping != "kmeans" and len(vectors) <= TOGETHER:
        return one_cluster(len(vectors))
    clusters = config.clusters or -(-len(vectors) // PER_CLUSTER)
    return k_means(vectors, clusters, 1 if config.grouping == "kmeans" else PROBES, seed)


def _walk(nodes: Nodes, partition: Partition, config: Semantic, folder: Path | None) -> Choice:
    """Compare each block of nodes with kept ones only, so that no list of pairs can grow."""
    count = len(nodes.vectors)
    choice = Choice(np.full(count, KEPT, np.int64), np.ones(count))
    places = Neighbourhoods(nodes.vectors, partition, folder)
    for start in range(0, count, BLOCK):
        rows = np.arange(start, min(start + BLOCK, count))
        pairs = _verified(nodes.vectors, places, partition, rows, config, best=True)
        decide(start, int(rows[-1]) + 1, nodes.settled, nodes.follows, *pairs, *choice)
        places.put(rows[choice.partner[rows] == KEPT])
    return choice


def _within_groups(nodes: Nodes, partition: Partition, config: Semantic, folder: Path | None) -> Choice:
    """List all pairs, keep those within a group, and let the wanted representative come first."""
    count = len(nodes.vectors)
    pairs = _all_pairs(nodes.vectors, partition, config, folder)
    labels = _labels(count, pairs, config)
    pairs = pairs.where(labels[pairs.left] == labels[pairs.right])
    order = np.arange(count) if config.keep == "preferred" else _order(nodes, labels, config.keep)
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)
    left, right = place[pairs.left], place[pairs.right]
    pairs = _sorted(np.minimum(left, right), np.maximum(left, right), pairs.cosine)
    choice = Choice(np.full(count, KEPT, np.int64), np.ones(count))
    follows = nodes.follows[order]
    decide(0, count, nodes.settled[order], np.where(follows < 0, follows, place[follows]), *pairs, *choice)
    return _back(choice, order)


def _all_pairs(vectors: Vectors, partition: Partition, config: Semantic, folder: Path | None) -> Alike:
    places, parts, held = Neighbourhoods(vectors, partition, folder), [], 0
    for start in range(0, len(vectors), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(vectors)))
        parts.append(_verified(vectors, places, partition, rows, config, best=False))
        held += len(parts[-1].left)
        if held > MOST:
            raise BadConfig(
                f"more than {MOST:,} pairs have a cosine of {config.threshold:g} or more",
                hint="raise `semantic.threshold`; or `grouping: pairs` with `keep: preferred`, which lists no pairs",
            )
        places.put(rows)
    return Alike(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _verified(
    vectors: Vectors, places: Neighbourhoods, partition: Partition, rows: I64s, config: Semantic, best: bool
) -> Alike:
    """Pairs of the block's rows with earlier ones and among themselves, by their true cosine."""
    earlier, later = places.alike(rows, config.threshold, best)
    one, other = above(np.tril(vectors[rows] @ vectors[rows].T, -1), config.threshold, best=False)
    if config.grouping == "kmeans":
        together = partition.homes[rows[one]] == partition.homes[rows[other]]
        one, other = one[together], other[together]
    left, right = np.concatenate([earlier, rows[other]]), np.concatenate([later, rows[one]])
    cosine = np.empty(len(left))
    cosines(vectors, left, right, cosine)
    enough = cosine >= config.threshold - ROUNDING
    return _sorted(left[enough], right[enough], np.minimum(cosine[enough], 1.0))


def _labels(count: int, pairs: Alike, config: Semantic) -> I64s:
    if config.grouping == "dbscan":
        return dense_regions(count, pairs, config.neighbours)
    if config.grouping == "hierarchical":
        return complete_groups(count, pairs, config.threshold)
    return connected(count, pairs.left, pairs.right)


def _order(nodes: Nodes, labels: I64s, keep: str) -> I64s:
    """Settled rows, then others by how central they are in their group, then those that follow another one."""
    central = centrality(nodes.vectors, labels).round(6)
    stage = np.where(nodes.settled > 0, 0, np.where(nodes.follows < 0, 1, 2))
    return np.lexsort((-central if keep == "centroid" else central, stage))


def _sorted(left: I64s, right: I64s, cosine: F64s) -> Alike:
    order = np.argsort(right, kind="stable")
    return Alike(left[order], right[order], cosine[order])


def _back(choice: Choice, order: I64s) -> Choice:
    """From places in an order back to nodes."""
    partner, cosine = np.empty(len(order), np.int64), np.empty(len(order))
    partner[order] = np.where(choice.partner < 0, choice.partner, order[choice.partner])
    cosine[order] = choice.cosine
    return Choice(partner, cosine)
