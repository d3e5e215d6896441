"""One verdict per row: the passes one after another, each folding rows into rows that are kept."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from contract.config.deduplicate import DeduplicateConfig
from curate.deduplicate.bands import bands_for
from curate.deduplicate.facts import Facts, in_order_of_preference
from curate.deduplicate.lookup import first_of
from curate.deduplicate.near import Choice, LoadSets, Nodes, near_duplicates
from curate.scan.arrays import F64s, I64s, U8s, U64s

EXACT, NEAR, SEMANTIC, PASSAGES = "exact", "near_duplicate", "semantic_duplicate", "mostly_shared"
RULES = (EXACT, NEAR, SEMANTIC, PASSAGES)
KEPT = -1
OTHERS, SETTLED, PREFERRED, NEW = np.uint8(0), np.uint8(1), np.uint8(2), np.uint8(3)
"""A row's standing, which comes before preference: rows of other datasets; rows kept before, whose verdict stands; rows
kept before under other settings; all others. The first two stay, whatever they repeat."""

Metrics: TypeAlias = dict[str, float | int | str | None]


@dataclass
class Verdicts:
    """For each row: the kept row that it repeats (or `KEPT`), by which of `RULES`, and how similar they are."""

    partner: I64s
    rule: U8s
    similarity: F64s
    metrics: Metrics = field(default_factory=dict)

    def fold(self, rows: I64s, into: I64s, similarity: F64s | float, rule: str) -> None:
        """Drop rows into kept ones. Rows that were dropped into these as equals go along."""
        target, alike = np.full(len(self.partner), KEPT, np.int64), np.ones(len(self.partner))
        target[rows], alike[rows] = into, similarity
        ends = np.where(self.partner == KEPT, np.arange(len(self.partner)), self.partner)
        moved = np.flatnonzero(target[ends] != KEPT)
        self.partner[moved] = target[ends[moved]]
        self.similarity[moved] = alike[ends[moved]]
        self.rule[moved] = RULES.index(rule)


class Start(NamedTuple):
    """What is decided already, each row's standing, and where there is room for large arrays."""

    verdicts: Verdicts
    standing: U8s
    folder: Path | None = None

    @property
    def settled(self) -> U8s:
        """Ones for rows that stay, whatever they repeat."""
        return (self.standing <= SETTLED).astype(np.uint8)

    def order(self, facts: Facts, keep: str) -> I64s:
        """Row numbers by standing, then by preference."""
        order = in_order_of_preference(facts, keep)
        return order[np.argsort(self.standing[order], kind="stable")]


def undecided(count: int) -> Verdicts:
    """Verdicts by which all rows are kept."""
    return Verdicts(np.full(count, KEPT, np.int64), np.zeros(count, np.uint8), np.ones(count))


def decide(facts: Facts, config: DeduplicateConfig, load: LoadSets, start: Start | None = None) -> Verdicts:
    """Rows in order of preference: exact copies are folded first, then equal sets of n-grams, then near-duplicates."""
    start = start or Start(undecided(len(facts)), np.full(len(facts), NEW))
    verdicts, settled, order = start.verdicts, start.settled, start.order(facts, config.keep)
    if config.exact:
        _fold_equal(verdicts, order, facts.normalised, settled, np.zeros(len(facts), np.uint8), EXACT)
    if config.near:
        wordless = (facts.size == 0).astype(np.uint8)
        _fold_equal(verdicts, order, facts.shingled, settled, wordless, NEAR)
        _fold_near(verdicts, order, facts, config, load, start.folder, settled)
    return verdicts


def _fold_equal(verdicts: Verdicts, order: I64s, digests: U64s, settled: U8s, alone: U8s, rule: str) -> None:
    """Fold rows with equal digests into the best of them."""
    alive = order[verdicts.partner[order] == KEPT]
    first = first_of(digests, alive, alone)
    gone = (first != alive) & (settled[alive] == 0)
    verdicts.fold(alive[gone], first[gone], 1.0, rule)


def _fold_near(
    verdicts: Verdicts,
    order: I64s,
    facts: Facts,
    config: DeduplicateConfig,
    load: LoadSets,
    folder: Path | None,
    settled: U8s,
) -> None:
    """Fold near-duplicates into the most similar kept row."""
    alive = order[(verdicts.partner[order] == KEPT) & (facts.size[order] > 0)]
    nodes = Nodes(alive, facts.size[alive], settled[alive])
    choice = _choice(nodes, facts, config, load, folder)
    gone = np.flatnonzero(choice.partner != KEPT)
    verdicts.fold(alive[gone], alive[choice.partner[gone]], choice.similarity[gone], NEAR)
    groups = np.bincount(verdicts.partner[(verdicts.partner != KEPT) & (verdicts.rule == RULES.index(NEAR))])
    verdicts.metrics |= {
        "distinct_texts": len(alive) + int(((verdicts.partner == KEPT) & (facts.size == 0)).sum()),
        "candidate_pairs": choice.proposed,
        "compared_pairs": choice.compared,
        "clusters": int((groups > 0).sum()),
        "largest_cluster": int(groups.max(initial=-1)) + 1,
    }


def _choice(nodes: Nodes, facts: Facts, config: DeduplicateConfig, load: LoadSets, folder: Path | None) -> Choice:
    cut = bands_for(config.threshold)
    if config.engine == "datasketch":
        from curate.deduplicate import library

        return library.near_duplicates(nodes, cut, config.seed, config.threshold, load)
    return near_duplicates(nodes, facts.signature, cut, config.threshold, load, folder)
