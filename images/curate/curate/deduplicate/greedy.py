"""Kernels: true cosines, and the walk that decides who stays."""

import numpy as np

from curate.embed.embedder import Vectors
from curate.scan.arrays import F64s, I64s, U8s
from curate.scan.compiled import compiled

KEPT, FOLLOWS = -1, -2


@compiled
def cosines(vectors: Vectors, left: I64s, right: I64s, out: F64s) -> None:
    """The dot product of each pair of rows, summed in double precision and always in the same order."""
    for pair in range(len(left)):
        total = 0.0
        for axis in range(vectors.shape[1]):
            total += np.float64(vectors[left[pair], axis]) * np.float64(vectors[right[pair], axis])
        out[pair] = total


@compiled
def decide(
    start: int, end: int, settled: U8s, follows: I64s, left: I64s, right: I64s, value: F64s, partner: I64s, alike: F64s
) -> None:
    """Walk nodes `start` to `end`, best first: a node goes when a kept one is its duplicate, else it stays.

    Pairs of duplicates are sorted by `right`, whose `left` comes earlier. A node that `follows` a kept one is dropped
    already and left alone; once that one went, it is a node like others. `partner` receives the most alike kept node
    (the earlier of equals), `KEPT` or `FOLLOWS`, `alike` the value of the pair.
    """
    at = 0
    for node in range(start, end):
        partner[node], alike[node] = KEPT, 1.0
        if follows[node] >= 0 and partner[follows[node]] == KEPT:
            partner[node] = FOLLOWS
        while at < len(right) and right[at] <= node:
            better = partner[node] == KEPT or value[at] > alike[node]
            better |= value[at] == alike[node] and left[at] < partner[node]
            open_ = right[at] == node and not settled[node] and partner[node] != FOLLOWS
            if open_ and better and partner[left[at]] == KEPT:
                partner[node], alike[node] = left[at], value[at]
            at += 1
