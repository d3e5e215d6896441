"""Rows that are as a whole like an item: the true Jaccard similarity of their sets of word 5-grams."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curate.decontaminate.index import Index, Postings
from curate.shingles import Indices, Ragged, as_sets, ngrams

WORDS = 5  # words per n-gram, as for near-duplicates


class Alike(NamedTuple):
    """Pairs of row and item, with their Jaccard similarity."""

    row: Indices
    item: Indices
    jaccard: npt.NDArray[np.float64]


class NearItems:
    """Finds rows near an item. The items' n-grams are all indexed, so nothing is estimated and nothing is missed."""

    def __init__(self, items: Ragged, threshold: float) -> None:
        self.threshold = threshold
        self._index = Index(items, WORDS)
        self._sizes = as_sets(ngrams(items, WORDS, short=False)).lengths

    def alike(self, rows: Ragged) -> Alike:
        """All pairs of at least the threshold. Items and rows of fewer than 5 words have no n-gram and no pair."""
        parts = [self._of_some(rows, found.once()) for found in self._index.found(rows)]
        none = Alike(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        return Alike(*(np.concatenate(columns) for columns in zip(none, *parts, strict=True)))

    def _of_some(self, rows: Ragged, found: Postings) -> Alike:
        starts = found.starts()
        common = np.diff(np.append(starts, len(found.row)))
        return self._enough(rows, found.row[starts], found.item[starts], common)

    def _enough(self, rows: Ragged, row: Indices, item: Indices, common: Indices) -> Alike:
        possible = common >= self.threshold * self._sizes[item] - 1e-9  # a union is no smaller than the item
        row, item, common = row[possible], item[possible], common[possible]
        some, which = np.unique(row, return_inverse=True)
        sizes = as_sets(ngrams(rows.take(some), WORDS, short=False)).lengths[which]
        similarity = common / (self._sizes[item] + sizes - common)
        enough = similarity >= self.threshold
        return Alike(row[enough], item[enough], similarity[enough])
