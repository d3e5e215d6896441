"""Which rows hold which items, by which rule."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from contract.config.decontaminate import DecontaminateConfig
from curate.decontaminate.benchmarks import Item
from curate.decontaminate.index import Index, ShortItems
from curate.shingles import Ragged, ngrams, words

EXACT, COVERAGE, ANY_MATCH = "exact", "ngram_coverage", "any_match"
RULES = (EXACT, COVERAGE, ANY_MATCH)
ANY_WORDS = 13  # Brown et al. 2020, appendix C
WORD = re.compile(r"\w+")


class Match(NamedTuple):
    """A row that holds an item: the item's place in the list, the rule that says so, value and threshold."""

    item: int
    rule: str
    value: float
    threshold: float


class Matcher:
    """Looks for all items of all benchmarks in batches of texts."""

    def __init__(self, items: Sequence[Item], config: DecontaminateConfig) -> None:
        self.config = config
        self.words = words([item.text for item in items])
        self.index = Index(self.words, config.ngram)
        self.short = ShortItems(self.words, config.ngram)
        self.any = Index(self.words, ANY_WORDS) if config.any_match else None

    def matches(self, texts: Sequence[str]) -> list[list[Match]]:
        """The matches of each text, the weightiest first."""
        found: list[dict[int, list[Match]]] = [{} for _ in texts]
        rows = words(texts)
        if self.config.exact:
            for row, item in self.short.found(texts):
                found[row].setdefault(item, []).append(Match(item, EXACT, 1.0, 1.0))
        self._by_coverage(rows, found)
        if self.any:
            for row, item, covered in zip(*(part.tolist() for part in self.any.overlaps(rows)), strict=True):
                found[row].setdefault(item, []).append(Match(item, ANY_MATCH, covered, ANY_WORDS))
        return [sorted((match for some in row.values() for match in some), key=_weight) for row in found]

    def passage(self, text: str, item: int) -> str:
        """The longest run of a text's words that stands in the item too, as it is written there."""
        lowered = text.lower()
        spans = [match.span() for match in WORD.finditer(lowered)]
        n = min(self.config.ngram, int(self.words.lengths[item]))
        of_item = ngrams(Ragged(self.words.row(item), np.array([0, self.words.lengths[item]])), n).values
        shared = np.isin(ngrams(words([text]), n, short=False).values, of_item)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], shared.astype(np.int8), [0]])))
        if not len(edges):
            return ""
        longest = np.argmax(edges[1::2] - edges[::2])
        first, last = int(edges[2 * longest]), int(edges[2 * longest + 1]) + n - 2
        shown = text if len(lowered) == len(text) else lowered  # lower case can be longer than upper
        return shown[spans[first][0] : spans[last][1]]

    def _by_coverage(self, rows: Ragged, found: list[dict[int, list[Match]]]) -> None:
        overlaps = self.index.overlaps(rows)
        shares = overlaps.covered / self.words.lengths[overlaps.item]
        for place in np.flatnonzero((shares > self.config.coverage) | (shares == 1)).tolist():
            row, item, share = int(overlaps.row[place]), int(overlaps.item[place]), float(shares[place])
            some = found[row].setdefault(item, [])
            if self.config.exact and share == 1 and self._holds(rows.row(row), self.words.row(item)):
                some.append(Match(item, EXACT, 1.0, 1.0))
            if share > self.config.coverage:
                some.append(Match(item, COVERAGE, share, self.config.coverage))

    def _holds(self, row: np.ndarray, item: np.ndarray) -> bool:
        """Whether the item's words stand in the row, one after another."""
        starts = np.flatnonzero(row[: len(row) - len(item) + 1] == item[0])
        return any(np.array_equal(row[start : start + len(item)], item) for start in starts.tolist())


def _weight(match: Match) -> tuple[int, float, int]:
    return RULES.index(match.rule), -match.value, match.item
