"""Exact and near-duplicates together: one verdict per row."""

from typing import NamedTuple, TypeAlias

import numpy as np

from contract.config.deduplicate import DeduplicateConfig
from curate.deduplicate.facts import Facts
from curate.deduplicate.minhash import Engine
from curate.deduplicate.near import LoadSets, clusters, near_duplicates
from curate.deduplicate.survivors import KEPT, Choice, first_of
from curate.shingles import Indices

EXACT, NEAR = "exact", "near_duplicate"
Metrics: TypeAlias = dict[str, float | int | str | None]


class Verdicts(NamedTuple):
    """For each row: the kept row that it repeats (or `KEPT`), by which rule, and how similar they are."""

    partner: Indices
    rule: list[str]
    similarity: list[float]
    metrics: Metrics


def decide(facts: Facts, config: DeduplicateConfig, load: LoadSets, engine: Engine) -> Verdicts:
    """Rows in order of preference, exact copies folded first, then equal shingle sets, then near-duplicates."""
    order = np.array(sorted(range(len(facts.preference)), key=facts.preference.__getitem__), np.int64)
    copies = first_of([facts.normalised[row] if config.exact else None for row in order])
    leaders = copies.copy()
    choice = Choice(np.full(len(order), KEPT, np.int64), np.ones(len(order)))
    metrics: Metrics = {}
    if config.near:
        same = first_of([facts.shingled[row] for row in order])
        leaders = same[copies]
        choice, metrics = _near(facts, config, load, engine, order, leaders)
    ends = np.where(choice.partner[leaders] == KEPT, leaders, choice.partner[leaders])
    return _by_row(order, copies, ends, choice.similarity[leaders], metrics)


def _near(
    facts: Facts, config: DeduplicateConfig, load: LoadSets, engine: Engine, order: Indices, leaders: Indices
) -> tuple[Choice, Metrics]:
    """The choice among the leaders, spread back over all ranks."""
    nodes = np.flatnonzero(leaders == np.arange(len(leaders)))
    near = near_duplicates(
        facts.sketches[order[nodes]], lambda some: load(order[nodes[some]]), engine, config.threshold
    )
    partner, similarity = np.full(len(order), KEPT, np.int64), np.ones(len(order))
    gone = near.choice.partner != KEPT
    partner[nodes[gone]] = nodes[near.choice.partner[gone]]
    similarity[nodes] = near.choice.similarity
    sizes = clusters(len(nodes), near.pairs)
    return Choice(partner, similarity), {
        "distinct_texts": len(nodes),
        "candidate_pairs": near.candidates,
        "near_duplicate_pairs": len(near.pairs.left),
        "clusters": len(sizes),
        "largest_cluster": int(sizes.max(initial=0)),
    }


def _by_row(order: Indices, copies: Indices, ends: Indices, similarity: np.ndarray, metrics: Metrics) -> Verdicts:
    """From ranks back to row numbers. A copy is exact only where the row that was kept is the copied one."""
    ranks = np.arange(len(order))
    partner, alike, exact = np.full(len(order), KEPT, np.int64), np.ones(len(order)), np.zeros(len(order), bool)
    gone = ends != ranks
    partner[order[gone]] = order[ends[gone]]
    alike[order] = similarity
    exact[order] = copies == ends
    return Verdicts(partner, [EXACT if same else NEAR for same in exact.tolist()], alike.tolist(), metrics)
