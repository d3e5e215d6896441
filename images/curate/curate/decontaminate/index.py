"""All n-grams of the benchmarks' items in one sorted array, and what a batch of rows shares with them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from curate.shingles import Indices, Ragged, distinct, lookup, ngrams, offsets_of, words
from curate.similar import unpack


class Overlaps(NamedTuple):
    """Rows and the items they share n-grams with: `covered` counts the item's words inside a shared n-gram."""

    row: Indices
    item: Indices
    covered: Indices


class Index:
    """The n-grams of some items; items shorter than `n` words have none here."""

    def __init__(self, items: Ragged, n: int) -> None:
        grams = ngrams(items, n, short=False)
        owners = np.repeat(np.arange(len(grams.offsets) - 1), grams.lengths)
        positions = np.arange(len(grams.values)) - grams.offsets[owners]
        order = np.argsort(grams.values, kind="stable")
        self.n = n
        self.items, self.positions = owners[order], positions[order]
        self.hashes, starts = np.unique(grams.values[order], return_index=True)
        self.bounds = np.append(starts, len(order)).astype(np.int64)

    def overlaps(self, rows: Ragged) -> Overlaps:
        """Which items each row of words shares n-grams with."""
        grams = ngrams(rows, self.n, short=False)
        known, which = lookup(self.hashes, grams.values)
        owners = np.repeat(np.arange(len(grams.offsets) - 1), grams.lengths)
        shared = distinct((owners[known] << 32 | which[known]).astype(np.uint64))
        return self._covered(*unpack(shared))

    def _covered(self, rows: Indices, which: Indices) -> Overlaps:
        """From shared n-grams to covered words: n-grams that overlap count their common words once."""
        counts = self.bounds[which + 1] - self.bounds[which]
        offsets = offsets_of(counts)
        places = np.repeat(self.bounds[which] - offsets[:-1], counts) + np.arange(offsets[-1])
        rows, items, positions = np.repeat(rows, counts), self.items[places], self.positions[places]
        order = np.lexsort((positions, items, rows))
        rows, items, positions = rows[order], items[order], positions[order]
        new = np.ones(len(rows), bool)
        new[1:] = (rows[1:] != rows[:-1]) | (items[1:] != items[:-1])
        width = np.full(len(rows), self.n, np.int64)
        width[:-1] = np.where(new[1:], self.n, np.minimum(np.diff(positions), self.n))
        starts = np.flatnonzero(new)
        covered = np.add.reduceat(width, starts) if len(starts) else np.empty(0, np.int64)
        return Overlaps(rows[starts], items[starts], covered)


class ShortItems:
    """Items of fewer than `n` words, which are too common as parts of a text: found only as a whole line of one."""

    def __init__(self, items: Ragged, n: int) -> None:
        self.n = n
        short = np.flatnonzero((items.lengths > 0) & (items.lengths < n))
        self._of_line: dict[int, list[int]] = {}
        for item, line in zip(short.tolist(), ngrams(items.take(short), n).values.tolist(), strict=True):
            self._of_line.setdefault(line, []).append(item)

    def found(self, texts: Sequence[str]) -> list[tuple[int, int]]:
        """Pairs of row and item, each once, in order."""
        if not self._of_line:
            return []
        lines = [(row, line) for row, text in enumerate(texts) for line in text.splitlines()]
        hashed = words([line for _, line in lines])
        short = np.flatnonzero((hashed.lengths > 0) & (hashed.lengths < self.n))
        hashes = ngrams(hashed.take(short), self.n).values.tolist()
        return sorted(
            {
                (lines[place][0], item)
                for place, line in zip(short.tolist(), hashes, strict=True)
                for item in self._of_line.get(line, ())
            }
        )
