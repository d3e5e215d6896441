"""Near-duplicates among rows in order of preference: candidates, their true similarity, and the choice of survivors."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from curate.deduplicate.minhash import Engine, PackedPairs
from curate.deduplicate.survivors import KEPT, Choice, choose
from curate.shingles import Hashes, Indices, Ragged, lookup
from curate.similar import Pairs, connected, jaccard, numbered, of_like_size, unpack

LoadSets = Callable[[Indices], Ragged]
"""Gives the shingle sets of some rows."""


class Near(NamedTuple):
    """The choice, and all verified pairs it was made from."""

    choice: Choice
    pairs: Pairs
    candidates: int


def near_duplicates(sketches: Hashes, load: LoadSets, engine: Engine, threshold: float) -> Near:
    """Who repeats whom among rows of which row 0 is the most wanted.

    Asks for candidates among those still alive until nothing new is found, so that a second pass over the survivors
    would find nothing either.
    """
    count = len(sketches)
    related = np.flatnonzero(engine.related(sketches))
    place = np.full(count, -1, np.int64)
    place[related] = np.arange(len(related))
    sets = numbered(load(related))
    tried = np.empty(0, np.uint64)
    found = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    choice, more = choose(count, *found), True
    while more:
        proposed, more = engine.candidates(sketches, choice.partner == KEPT)
        fresh = proposed[~lookup(tried, proposed)[0]]
        tried = np.sort(np.concatenate([tried, fresh]))
        verified = _verify(fresh, sets, place, threshold)
        more = more and len(verified.left) > 0
        found = Pairs(*(np.concatenate(both) for both in zip(found, verified, strict=True)))
        choice = choose(count, *found)
    return Near(choice, found, len(tried))


def clusters(count: int, pairs: Pairs) -> Indices:
    """Sizes of the groups that verified pairs connect, largest first."""
    sizes = np.bincount(connected(count, pairs.left, pairs.right))
    return np.sort(sizes[sizes > 1])[::-1]


def _verify(pairs: PackedPairs, sets: Ragged, place: Indices, threshold: float) -> Pairs:
    left, right = unpack(pairs)
    possible = of_like_size(sets, place[left], place[right], threshold)
    left, right = left[possible], right[possible]
    similarity = jaccard(sets, place[left], place[right])
    enough = similarity >= threshold
    return Pairs(left[enough], right[enough], similarity[enough])
