"""Which rows hold which items, by which rule."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from contract.config.decontaminate import DecontaminateConfig, Rephrased
from curate.decontaminate.benchmarks import Item
from curate.decontaminate.index import Index
from curate.decontaminate.jaccard import NearItems
from curate.decontaminate.rephrased.rule import RephrasedItems, Rephrasing
from curate.decontaminate.short import ShortItems
from curate.decontaminate.weighted import Shares, WeighedItems
from curate.embed.embedder import Embedder
from curate.shingles import Indices, Ragged, words
from curate.text import Strings

EXACT, COVERAGE, ANY_MATCH, NEAR, WEIGHTED = "exact", "ngram_coverage", "any_match", "near", "weighted"
REPHRASED = "rephrased"
RULES = (EXACT, COVERAGE, ANY_MATCH, NEAR, WEIGHTED, REPHRASED)
ITEMS = 20  # a row is reported with so many items of a rule, the best ones: items of one template share most words
ANY_WORDS = 13  # Brown et al. 2020, appendix C


class Match(NamedTuple):
    """A row that holds an item: the item's place in the list, the rule that says so, value and threshold."""

    item: int
    rule: str
    value: float
    threshold: float


class Matches(NamedTuple):
    """What a batch of rows holds, by row number, the weightiest match first; a row without any is not in it.

    `unsure` are rows without a match that may rephrase an item: not sure enough to go, too like it to be passed over.
    """

    held: dict[int, list[Match]]
    unsure: list[Rephrasing]


class Matcher:
    """Looks for all items of all benchmarks in batches of texts."""

    def __init__(self, items: Sequence[Item], config: DecontaminateConfig, encoder: Embedder | None = None) -> None:
        self.config = config
        self.words = words([item.text for item in items])
        self.index = Index(self.words, config.ngram)
        self.short = ShortItems(self.words, config.ngram) if config.exact else None
        self.any = Index(self.words, ANY_WORDS) if config.any_match else None
        self.near = NearItems(self.words, config.near) if config.near is not None else None
        self.weighed = _weighed(items, config.weighted) if config.weighted is not None else None
        self.rephrased = _rephrased(items, config.rephrased, encoder) if config.rephrased else None

    def matches(self, texts: Strings) -> Matches:
        """What each row holds. Rows that share nothing with any item are never looked at one by one."""
        rows = words(texts)
        held: dict[int, list[Match]] = {}
        for row, match in self._by_words(texts, rows):
            held.setdefault(row, []).append(match)
        alike = self.rephrased.found(texts, rows) if self.rephrased else []
        for found in alike:
            if found.sure:
                held.setdefault(found.row, []).append(Match(found.item, REPHRASED, found.score, found.threshold))
        unsure = [found for found in alike if found.row not in held]
        return Matches({row: sorted(held[row], key=_weight) for row in sorted(held)}, unsure)

    def _by_words(self, texts: Strings, rows: Ragged) -> Iterator[tuple[int, Match]]:
        if self.short:
            yield from ((row, Match(item, EXACT, 1.0, 1.0)) for row, item in self.short.found(texts, rows))
        yield from self._by_coverage(rows)
        if self.any:
            yield from _columns(ANY_MATCH, *self.any.overlaps(rows), threshold=ANY_WORDS)
        if self.near:
            yield from _columns(NEAR, *self.near.alike(rows), threshold=self.near.threshold)
        if self.weighed:
            yield from _columns(WEIGHTED, *self.weighed.weighed(rows))

    def _by_coverage(self, rows: Ragged) -> Iterator[tuple[int, Match]]:
        overlaps = self.index.overlaps(rows)
        shares = overlaps.covered / self.words.lengths[overlaps.item]
        enough = np.flatnonzero((shares > self.config.coverage) | (shares == 1))
        for place in enough[best_of_rows(overlaps.row[enough], shares[enough])].tolist():
            row, item, share = int(overlaps.row[place]), int(overlaps.item[place]), float(shares[place])
            if self.config.exact and share == 1 and holds(rows.row(row), self.words.row(item)):
                yield row, Match(item, EXACT, 1.0, 1.0)
            if share > self.config.coverage:
                yield row, Match(item, COVERAGE, share, self.config.coverage)


def holds(row: np.ndarray, item: np.ndarray) -> bool:
    """Whether the item's words stand in the row, one after another."""
    starts = np.flatnonzero(row[: len(row) - len(item) + 1] == item[0])
    return any(np.array_equal(row[start : start + len(item)], item) for start in starts.tolist())


def one_per_item(matches: Sequence[Match]) -> list[Match]:
    """The weightiest match of each item."""
    best: dict[int, Match] = {}
    for match in matches:
        best.setdefault(match.item, match)
    return list(best.values())


def _weighed(items: Sequence[Item], threshold: float) -> WeighedItems:
    questions = words([item.question or item.text for item in items])
    return WeighedItems(questions, [item.answer for item in items], threshold)


def _rephrased(items: Sequence[Item], config: Rephrased, encoder: Embedder | None) -> RephrasedItems:
    return RephrasedItems([item.text for item in items], config, encoder)


def best_of_rows(rows: Indices, values: Shares, most: int = ITEMS) -> Indices:
    """Places of the `most` highest values of each row, the earlier one where two are equal, in order of rows."""
    order = np.lexsort((np.arange(len(rows)), -values, rows))
    ordered = rows[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(rows) else np.empty(0, np.int64)
    rank = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
    return order[rank < most]


def _columns(
    rule: str, rows: np.ndarray, items: np.ndarray, values: np.ndarray, threshold: float | np.ndarray
) -> Iterator[tuple[int, Match]]:
    needed = np.broadcast_to(threshold, len(rows))
    best = best_of_rows(rows, values)
    for row, item, value, least in zip(*(part[best].tolist() for part in (rows, items, values, needed)), strict=True):
        yield row, Match(item, rule, value, least)


def _weight(match: Match) -> tuple[int, float, int]:
    return RULES.index(match.rule), -match.value, match.item
