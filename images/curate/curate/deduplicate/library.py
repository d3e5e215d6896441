"""Candidates from datasketch's MinHashLSH, for those who want the library's own."""

from collections.abc import Iterator

import numpy as np
from datasketch import MinHash, MinHashLSH

from curate.deduplicate.bands import Bands
from curate.deduplicate.near import KEPT, Choice, LoadSets, Nodes
from curate.deduplicate.shelf import Sets
from curate.scan.arrays import F64s, I64s
from curate.shingles import Ragged, as_sets, offsets_of
from curate.similar import jaccard, numbered, of_like_size, pack, unpack

SCHEME = "affine64"  # our shingles are 64-bit hashes already


def near_duplicates(nodes: Nodes, cut: Bands, seed: int, threshold: float, load: LoadSets) -> Choice:
    """Who repeats whom among nodes, best first; all sets are held in memory, and all pairs of the index verified."""
    by_row = np.argsort(nodes.rows)
    held = together(load(nodes.rows[by_row]), nodes.sizes[by_row])
    sets = as_sets(held).take(np.argsort(by_row))
    pairs = np.unique(np.array(list(_proposed(sets, cut, seed)), np.uint64))
    left, right = unpack(pairs)
    sets = numbered(sets)
    possible = of_like_size(sets, left, right, threshold)
    left, right = left[possible], right[possible]
    similarity = jaccard(sets, left, right)
    enough = similarity >= threshold
    chosen = choose(nodes.settled, left[enough], right[enough], similarity[enough])
    return Choice(*chosen, len(pairs), len(left))


def together(sets: Sets, sizes: I64s) -> Ragged:
    """Sets of given sizes one after another."""
    offsets = offsets_of(sizes)
    positions = np.repeat(sets.places - offsets[:-1], sizes) + np.arange(offsets[-1])
    return Ragged(sets.values[positions], offsets)


def choose(settled: np.ndarray, left: I64s, right: I64s, similarity: F64s) -> tuple[I64s, F64s]:
    """Walk the nodes, best first: one goes when a kept node is its duplicate, to the most similar one, ties by rank."""
    partner, alike = [KEPT] * len(settled), [1.0] * len(settled)
    order = np.lexsort((left, -similarity, right))
    edges = zip(left[order].tolist(), right[order].tolist(), similarity[order].tolist(), strict=True)
    for better, row, value in edges:
        if partner[row] == KEPT and partner[better] == KEPT and not settled[row]:
            partner[row], alike[row] = better, value
    return np.array(partner, np.int64), np.array(alike)


def _proposed(sets: Ragged, cut: Bands, seed: int) -> Iterator[int]:
    """Packed pairs of each row with the earlier rows that the index returns for it."""
    rows = [sets.row(index).tolist() for index in range(len(sets.offsets) - 1)]
    index = MinHashLSH(num_perm=cut.functions, params=tuple(cut))
    hashes = MinHash.generator(rows, num_perm=cut.functions, seed=seed, hashfunc=int, scheme=SCHEME)
    for row, minhash in enumerate(hashes):
        earlier = np.array(index.query(minhash), np.int64)
        yield from pack(earlier, np.full(len(earlier), row)).tolist()
        index.insert(row, minhash)
