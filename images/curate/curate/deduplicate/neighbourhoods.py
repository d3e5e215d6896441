"""Where to look for vectors that are alike: clusters, and in each the vectors put there so far."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curate.embed.embedder import Vectors
from curate.room import room
from curate.scan.arrays import F64s, I64s
from curate.shingles import offsets_of

TOGETHER = 30_000  # rows that are compared all with all
PER_CLUSTER = 5_000  # rows of a cluster, where nobody says how many clusters there are
PROBES = 3  # clusters that a row is looked for in: 112,000 real rows lose 0.3 % of their duplicates so, by two 0.9 %
SAMPLE = 100_000  # rows that k-means learns from
COLUMNS = 16_384  # vectors compared with a block at once: 64 MB of products
ROWS = 4_096  # rows assigned at once
MARGIN = 1e-5  # products are of single precision, and their last bits depend on how many threads made them


class Partition(NamedTuple):
    """Of each row its cluster, and the clusters that it is looked for in, shape `(rows, probes)`, its own first."""

    homes: I64s
    probes: I64s
    clusters: int


def one_cluster(rows: int) -> Partition:
    """All rows together."""
    return Partition(np.zeros(rows, np.int64), np.zeros((rows, 1), np.int64), 1)


def k_means(vectors: Vectors, clusters: int, probes: int, seed: int) -> Partition:
    """Clusters by mini-batch k-means (Sculley 2010) on at most `SAMPLE` rows, evenly spaced; on one thread, since sums
    made by several differ in their last bits. It depends on the order of rows, so give them in an order of content."""
    from sklearn.cluster import MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    clusters = max(1, min(clusters, len(vectors)))
    sample = np.linspace(0, len(vectors) - 1, min(SAMPLE, len(vectors))).astype(np.int64)
    with threadpool_limits(1):
        model = MiniBatchKMeans(clusters, random_state=seed, batch_size=ROWS, n_init=1).fit(vectors[sample])
        centres = model.cluster_centers_
        nearest = np.vstack([_nearest(part, centres, probes) for part in _parts(vectors)])
    return Partition(nearest[:, 0].copy(), nearest, clusters)


class Neighbourhoods:
    """Vectors by cluster, each cluster's beside each other, in a file where they are many."""

    def __init__(self, vectors: Vectors, partition: Partition, folder: Path | None) -> None:
        self._vectors, self._partition = vectors, partition
        self._starts = offsets_of(np.bincount(partition.homes, minlength=partition.clusters))
        self._filled = np.zeros(partition.clusters, np.int64)
        self._slots = room(vectors.shape, np.float32, folder)
        self._rows = np.zeros(len(vectors), np.int64)

    def put(self, rows: I64s) -> None:
        """Put some rows where they belong."""
        homes = self._partition.homes[rows]
        order = np.argsort(homes, kind="stable")
        rows, homes = rows[order], homes[order]
        counts = np.bincount(homes, minlength=self._partition.clusters)
        places = self._starts[homes] + self._filled[homes] + np.arange(len(rows)) - offsets_of(counts)[homes]
        self._slots[places], self._rows[places] = self._vectors[rows], rows
        self._filled += counts

    def alike(self, rows: I64s, threshold: float, best: bool) -> tuple[I64s, I64s]:
        """Pairs of a row put here before and one of `rows` that may reach the threshold; with `best` only the nearest
        of each cluster."""
        found = [np.empty((0, 2), np.int64)]
        probes = self._partition.probes[rows]
        for cluster in np.unique(probes):
            some = rows[(probes == cluster).any(axis=1)]
            for slots in self._chunks(int(cluster)):
                products = self._vectors[some] @ self._slots[slots].T
                left, right = above(products, threshold, best)
                found.append(np.column_stack([self._rows[slots][right], some[left]]))
        pairs = np.concatenate(found)
        return pairs[:, 0], pairs[:, 1]

    def _chunks(self, cluster: int) -> Iterator[slice]:
        start = int(self._starts[cluster])
        end = start + int(self._filled[cluster])
        for first in range(start, end, COLUMNS):
            yield slice(first, min(end, first + COLUMNS))


def above(products: Vectors, threshold: float, best: bool) -> tuple[I64s, I64s]:
    """Rows and columns of the products that may reach the threshold; with `best` only those that may be a row's
    greatest."""
    greatest = products.max(axis=1)
    rows = np.flatnonzero(greatest >= threshold - MARGIN)
    least = np.maximum(greatest[rows], threshold) if best else np.full(len(rows), threshold)
    found, columns = np.nonzero(products[rows] >= (least - MARGIN)[:, None])
    return rows[found], columns


def _parts(vectors: Vectors) -> Iterator[Vectors]:
    for start in range(0, len(vectors), ROWS):
        yield vectors[start : start + ROWS]


def _nearest(vectors: Vectors, centres: npt.NDArray[np.float32], probes: int) -> I64s:
    """The nearest centres of each vector, nearest first."""
    halves: F64s = np.einsum("ij,ij->i", centres, centres, dtype=np.float64) / 2
    closeness = vectors @ centres.T - halves.astype(np.float32)
    nearest: I64s = np.argsort(-closeness, axis=1, kind="stable")[:, :probes].astype(np.int64)
    return nearest
