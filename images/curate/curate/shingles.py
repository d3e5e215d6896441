r"""Texts as sequences and sets of hashed words and word n-grams.

A word is what Python's `re` finds as `\w+` in the lower-cased text, in any script; a final sigma counts as a sigma, so
that a Greek word's lower case depends on no neighbour. Hashes have 64 bits and depend on the characters alone.
Compiled, because a loop of `re.findall` per text takes nine tenths of a whole near-duplicate search; a test holds it
equal to `re` on all text.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from curate.scan.buffers import Texts, utf8
from curate.scan.characters import characters
from curate.scan.ready import Ready

Hashes: TypeAlias = npt.NDArray[np.uint64]
Indices: TypeAlias = npt.NDArray[np.int64]
WORDS_OF_ALL, NGRAMS_OF_ALL = Ready("curate.scan.words", "words_of_all"), Ready("curate.scan.ngrams", "ngrams_of_all")


class Ragged(NamedTuple):
    """Rows of different lengths in one flat array: row i is `values[offsets[i]:offsets[i + 1]]`."""

    values: Hashes
    offsets: Indices

    @property
    def lengths(self) -> Indices:
        """How many values each row has."""
        return np.diff(self.offsets)

    def row(self, index: int) -> Hashes:
        """The values of one row."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def take(self, rows: Indices) -> "Ragged":
        """Some rows, in the order asked for."""
        lengths = self.lengths[rows]
        offsets = offsets_of(lengths)
        positions = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Ragged(self.values[positions], offsets)


def words(texts: Texts) -> Ragged:
    r"""The words of each text, hashed, in reading order; of Arrow strings no Python object is made."""
    data, offsets = utf8(texts)
    found = np.empty((int(offsets[-1] - offsets[0]) + len(offsets)) // 2, np.uint64)  # pages never written cost nothing
    bounds = np.empty(len(offsets), np.int64)
    WORDS_OF_ALL(data, offsets, characters(), found, bounds)
    return Ragged(found[: bounds[-1]], bounds)


def ngrams(found: Ragged, n: int, short: bool = True) -> Ragged:
    """The n-grams of each row of words, hashed, in reading order.

    A row of fewer than `n` words has one n-gram, of all its words; with `short=False`, and without words, it has none.
    """
    out = np.empty(len(found.values), np.uint64)
    offsets = np.empty(len(found.offsets), np.int64)
    NGRAMS_OF_ALL(found.values, found.offsets, n, short, out, offsets)
    return Ragged(out[: offsets[-1]], offsets)


def as_sets(rows: Ragged) -> Ragged:
    """Each row's distinct values, sorted."""
    values, bounds = rows.values.copy(), rows.offsets.tolist()
    for start, end in pairwise(bounds):
        values[start:end].sort()  # many small sorts take a tenth of one large sort by row and value
    first = np.ones(len(values), bool)
    first[1:] = values[1:] != values[:-1]
    first[rows.offsets[:-1][rows.lengths > 0]] = True
    counts = np.zeros(len(rows.offsets) - 1, np.int64)
    counts[rows.lengths > 0] = np.add.reduceat(first, rows.offsets[:-1][rows.lengths > 0], dtype=np.int64)
    return Ragged(values[first], offsets_of(counts))


def distinct(values: Hashes) -> Hashes:
    """The different values, sorted; `np.unique` of numpy 2.4 goes through a hash table that is ten times slower."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def lookup(table: Hashes, values: Hashes) -> tuple[npt.NDArray[np.bool_], Indices]:
    """Whether each value is in a sorted table of distinct values, and where it would be."""
    which = np.searchsorted(table, values)
    if not len(table):
        return np.zeros(len(values), bool), which
    return table[np.minimum(which, len(table) - 1)] == values, which


def shingle_sets(texts: Texts, n: int) -> Ragged:
    """The set of hashed word n-grams of each text; a text shorter than `n` words is one n-gram of all its words."""
    return as_sets(ngrams(words(texts), n))


def join(parts: Sequence[Ragged]) -> Ragged:
    """Rows of several arrays, one after another."""
    if not parts:
        return Ragged(np.empty(0, np.uint64), np.zeros(1, np.int64))
    lengths = np.concatenate([part.lengths for part in parts])
    return Ragged(np.concatenate([part.values for part in parts]), offsets_of(lengths))


def offsets_of(lengths: npt.NDArray[np.integer]) -> Indices:
    """Where rows of these lengths start, and the end of the last."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def mix(values: Hashes) -> Hashes:
    """Spread each value over all 64 bits (the finaliser of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
