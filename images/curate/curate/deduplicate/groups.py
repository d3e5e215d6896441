"""Which rows belong together, from the pairs that reach the threshold."""

from typing import NamedTuple

import numpy as np

from contract.failures import BadConfig
from curate.embed.embedder import Vectors, unit
from curate.scan.arrays import F64s, I64s
from curate.similar import connected

LARGEST = 5_000  # rows of a chain of pairs that complete linkage takes: 100 MB of distances


class Alike(NamedTuple):
    """Pairs that reach the threshold, `left` before `right`, with their cosine."""

    left: I64s
    right: I64s
    cosine: F64s

    def where(self, chosen: np.ndarray) -> "Alike":
        """Some of the pairs."""
        return Alike(self.left[chosen], self.right[chosen], self.cosine[chosen])


def dense_regions(count: int, pairs: Alike, neighbours: int) -> I64s:
    """The number of each row's dense region, by DBSCAN (Ester et al. 1996); a row of none has a number of its own."""
    from scipy.sparse import coo_array
    from sklearn.cluster import DBSCAN

    near = np.maximum(1 - pairs.cosine, 0) + 1e-12  # a stored zero would be no neighbour
    both = (np.concatenate([pairs.left, pairs.right]), np.concatenate([pairs.right, pairs.left]))
    graph = coo_array((np.concatenate([near, near]), both), shape=(count, count)).tocsr()
    labels: I64s = DBSCAN(eps=2.0, min_samples=neighbours, metric="precomputed").fit(graph).labels_.astype(np.int64)
    alone = np.flatnonzero(labels < 0)
    labels[alone] = labels.max(initial=-1) + 1 + np.arange(len(alone))
    return labels


def complete_groups(count: int, pairs: Alike, threshold: float) -> I64s:
    """The number of each row's group by complete linkage: every two rows of a group are a pair.

    No group crosses the rows that pairs chain together, so each such chain is cut by itself. Raises `BadConfig` for a
    chain of more than `LARGEST` rows.
    """
    chains = connected(count, pairs.left, pairs.right)
    sizes = np.bincount(chains, minlength=1)
    if sizes.max(initial=0) > LARGEST:
        raise BadConfig(
            f"pairs of a cosine of {threshold:g} chain {sizes.max():,} rows together",
            expected=f"at most {LARGEST:,} with `grouping: hierarchical`",
            hint="raise `semantic.threshold`, or group by `pairs` or `kmeans`",
        )
    labels = np.arange(count)
    order = np.argsort(chains, kind="stable")
    ends = np.cumsum(sizes)
    pair_order = np.argsort(chains[pairs.left], kind="stable")
    pair_ends = np.cumsum(np.bincount(chains[pairs.left], minlength=len(sizes)))
    for chain in np.flatnonzero(sizes > 1):
        members = order[ends[chain] - sizes[chain] : ends[chain]]
        first = pair_ends[chain - 1] if chain else 0
        own = pairs.where(pair_order[first : pair_ends[chain]])
        labels[members] = members[_linked(members, own, threshold)]
    return labels


def centrality(vectors: Vectors, labels: I64s) -> F64s:
    """The cosine of each row with the centroid of its group."""
    _, groups = np.unique(labels, return_inverse=True)
    order = np.argsort(groups, kind="stable")
    sums = np.add.reduceat(vectors[order].astype(np.float64), np.flatnonzero(np.diff(groups[order], prepend=-1)))
    cosine: F64s = np.einsum("ij,ij->i", vectors, unit(sums.astype(np.float32))[groups], dtype=np.float64)
    return cosine


def _linked(members: I64s, pairs: Alike, threshold: float) -> I64s:
    """For each member of a chain the place of its group's first member."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    far = np.full((len(members), len(members)), 2.0)
    np.fill_diagonal(far, 0)
    left, right = np.searchsorted(members, pairs.left), np.searchsorted(members, pairs.right)
    far[left, right] = far[right, left] = np.clip(1 - pairs.cosine, 0, 1)
    groups = fcluster(linkage(squareform(far, checks=False), "complete"), 1.5, "distance")
    _, first = np.unique(groups, return_index=True)
    places: I64s = first[groups - 1]
    return places
