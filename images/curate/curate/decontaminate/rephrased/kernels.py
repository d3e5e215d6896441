"""Compiled loops over pairs of words near one another."""

import numpy as np

from curate.decontaminate.kernels import known
from curate.scan.arrays import F64s, I32s, I64s, U64s
from curate.scan.compiled import compiled
from curate.scan.ngrams import STEP
from curate.scan.words import mixed


@compiled
def pair(a: np.uint64, b: np.uint64) -> np.uint64:
    """One hash for two words in either order."""
    return mixed(min(a, b) * STEP + max(a, b))


@compiled
def pairs_of_all(words: U64s, bounds: I64s, apart: int, out: U64s, offsets: I64s) -> None:
    """Hash all pairs of words at most `apart` words apart; `offsets` receives where each row's begin."""
    filled = 0
    offsets[0] = 0
    for row in range(len(bounds) - 1):
        for second in range(bounds[row], bounds[row + 1]):
            for first in range(max(bounds[row], second - apart), second):
                out[filled] = pair(words[first], words[second])
                filled += 1
        offsets[row + 1] = filled


@compiled
def retrieve(
    words: U64s,
    offsets: I64s,
    apart: int,
    slots: I32s,
    keys: U64s,
    sieve: U64s,
    bounds: I32s,
    items: I64s,
    most: int,
    weights: F64s,
    lengths: F64s,
    unknown: float,
    best: I64s,
    cosines: F64s,
) -> None:
    """The items most like each row of words by the pairs that both hold; fills `best` and `cosines`, `(rows, k)`.

    `weights` go by gram (`unknown` is that of a pair no item holds), `lengths` by item. A pair that more than `most`
    items hold adds to a row's length only.
    """
    score, touched = np.zeros(len(lengths)), np.empty(len(lengths), np.int64)
    seen = np.full(len(keys), -1, np.int32)
    for row in range(len(offsets) - 1):
        reached, square = 0, 0.0
        for second in range(offsets[row], offsets[row + 1]):
            for first in range(max(offsets[row], second - apart), second):
                gram = known(pair(words[first], words[second]), slots, keys, sieve)
                if gram < 0:
                    square += unknown * unknown
                elif seen[gram] != row:
                    seen[gram] = row
                    weight = weights[gram] * weights[gram]
                    square += weight
                    if bounds[gram + 1] - bounds[gram] <= most:
                        reached = add(items[bounds[gram] : bounds[gram + 1]], weight, score, touched, reached)
        for place in range(reached):
            score[touched[place]] /= lengths[touched[place]] * np.sqrt(square)
        lead(score, touched[:reached], best[row], cosines[row])
        score[touched[:reached]] = 0.0


@compiled
def add(holders: I64s, weight: float, score: F64s, touched: I64s, reached: int) -> int:
    """Add a pair's weight to the items that hold it; items reached for the first time are noted."""
    for item in holders:
        if score[item] == 0:
            touched[reached] = item
            reached += 1
        score[item] += weight
    return reached


@compiled
def lead(score: F64s, touched: I64s, best: I64s, cosines: F64s) -> None:
    """The touched items of highest score, the earlier one where two are equal; their scores are spent."""
    for rank in range(min(len(best), len(touched))):
        leader = touched[0]
        for item in touched:
            if score[item] > score[leader] or (score[item] == score[leader] and item < leader):
                leader = item
        best[rank], cosines[rank] = leader, score[leader]
        score[leader] = -1.0
