"""semantic: against plain loops on made-up vectors, and on 11,200 real rows with word vectors learnt from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.config.semantic import Semantic
from contract.failures import BadConfig
from curate.deduplicate import groups, neighbourhoods, semantic
from curate.deduplicate.greedy import FOLLOWS, KEPT
from curate.deduplicate.semantic import Nodes, semantic_duplicates
from curate.embed.embedder import unit

T = 0.9


def nodes_of(vectors, follows=None, settled=None) -> Nodes:
    count = len(vectors)
    follows = np.full(count, -1, np.int64) if follows is None else np.array(follows, np.int64)
    settled = np.zeros(count, np.uint8) if settled is None else np.array(settled, np.uint8)
    return Nodes(unit(np.asarray(vectors, np.float32)), follows, settled)


def clouds(seed: int, count: int = 300, centres: int = 12, spread: float = 0.25, width: int = 12) -> np.ndarray:
    """Vectors round a few centres: many pairs are just above or just below a cosine of 0.9."""
    rng = np.random.default_rng(seed)
    middle = unit(rng.normal(size=(centres, width)).astype(np.float32))
    return unit(
        (middle[rng.integers(centres, size=count)] + rng.normal(size=(count, width)) * spread / width**0.5).astype(
            np.float32
        )
    )


def by_hand(nodes: Nodes, threshold: float, same=None) -> list[int]:
    """The greedy rule in plain loops; `same` says which pairs may be compared."""
    cosine = nodes.vectors.astype(np.float64) @ nodes.vectors.T.astype(np.float64)
    partner: list[int] = []
    for node in range(len(nodes.vectors)):
        if nodes.follows[node] >= 0 and partner[nodes.follows[node]] == KEPT:
            partner.append(FOLLOWS)
            continue
        kept = [
            other for other in range(node) if partner[other] == KEPT and (same is None or same[other] == same[node])
        ]
        near = [other for other in kept if cosine[node, other] >= threshold - 1e-6 and not nodes.settled[node]]
        partner.append(max(near, key=lambda other: (round(cosine[node, other], 9), -other)) if near else KEPT)
    return partner


@pytest.fixture
def small_blocks(monkeypatch):
    """Several blocks and chunks even for few rows."""
    monkeypatch.setattr(semantic, "BLOCK", 16)
    monkeypatch.setattr(neighbourhoods, "COLUMNS", 40)


@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_decided_as_plain_loops_decide(small_blocks, seed):
    rng = np.random.default_rng(seed)
    settled = rng.random(300) < 0.05
    settled = np.sort(settled)[::-1].astype(np.uint8)
    plain = nodes_of(clouds(seed))
    first = by_hand(plain, T)
    follows = [-1] * 300
    for node, partner in list(enumerate(first))[::7]:
        if partner >= 0:
            follows[node] = int(rng.integers(partner + 1)) if first[int(rng.integers(partner + 1))] else partner
    nodes = nodes_of(clouds(seed), follows, settled)
    choice = semantic_duplicates(nodes, Semantic(threshold=T), 1)
    assert choice.partner.tolist() == by_hand(nodes, T)
    assert (choice.partner == FOLLOWS).any()
    assert (choice.partner >= 0).any()


CONFIGS = st.builds(
    Semantic,
    threshold=st.sampled_from([0.5, 0.8, 0.9, 0.97]),
    grouping=st.sampled_from(["pairs", "kmeans", "dbscan", "hierarchical"]),
    clusters=st.sampled_from([0, 3, 7]),
    neighbours=st.sampled_from([2, 4]),
    keep=st.sampled_from(["preferred", "centroid", "most_distant"]),
)


@settings(max_examples=60)
@given(st.integers(0, 1000), CONFIGS)
def test_each_that_goes_names_a_kept_one_that_is_that_near(seed, config):
    nodes = nodes_of(clouds(seed, count=80))
    choice = semantic_duplicates(nodes, config, 1)
    gone = np.flatnonzero(choice.partner != KEPT)
    partners = choice.partner[gone]
    assert (choice.partner[partners] == KEPT).all()
    cosine = np.einsum("ij,ij->i", nodes.vectors[gone], nodes.vectors[partners], dtype=np.float64)
    assert (cosine >= config.threshold - 1e-6).all()
    assert choice.cosine[gone] == pytest.approx(cosine, abs=1e-6)


def test_kmeans_compares_within_clusters_only(small_blocks):
    nodes = nodes_of(clouds(5))
    homes = neighbourhoods.k_means(nodes.vectors, 20, 1, 3).homes
    choice = semantic_duplicates(nodes, Semantic(threshold=T, grouping="kmeans", clusters=20), 3)
    assert choice.partner.tolist() == by_hand(nodes, T, homes)
    assert choice.partner.tolist() != by_hand(nodes, T)


def test_dbscan_leaves_sparse_rows_alone(small_blocks):
    tight, lone = [[1, 0.01 * n, 0] for n in range(5)], [[0, 0.1, 1], [0, 0, 1]]
    nodes = nodes_of([*tight, *lone])
    config = Semantic(threshold=T, grouping="dbscan", neighbours=3)
    assert semantic_duplicates(nodes, config, 1).partner.tolist() == [KEPT, 0, 0, 0, 0, KEPT, KEPT]
    assert semantic_duplicates(nodes, config.model_copy(update={"neighbours": 2}), 1).partner[-1] == 5


def test_hierarchical_groups_are_pairs_throughout_and_leave_one_row_each():
    nodes = nodes_of(clouds(6, count=120))
    choice = semantic_duplicates(nodes, Semantic(threshold=T, grouping="hierarchical"), 1)
    cosine = nodes.vectors.astype(np.float64) @ nodes.vectors.T.astype(np.float64)
    for kept in np.unique(choice.partner[choice.partner >= 0]):
        members = [kept, *np.flatnonzero(choice.partner == kept)]
        assert (cosine[np.ix_(members, members)] >= T - 1e-6).all()
    assert (choice.partner >= 0).sum() <= sum(p >= 0 for p in by_hand(nodes, T))


def test_the_representative_is_the_one_asked_for():
    fan = [[np.cos(a), np.sin(a)] for a in (0.0, 0.1, 0.2, 0.25, 0.3)]
    centre, far = 2, 0
    for grouping in ("kmeans", "dbscan", "hierarchical", "pairs"):
        kept = {}
        for keep in ("preferred", "centroid", "most_distant"):
            config = Semantic(threshold=0.95, grouping=grouping, clusters=1, keep=keep)
            partner = semantic_duplicates(nodes_of(fan), config, 1).partner
            kept[keep] = np.flatnonzero(partner == KEPT).tolist()
        assert kept == {"preferred": [0], "centroid": [centre], "most_distant": [far]}, grouping


def test_zero_vectors_are_like_nothing():
    assert semantic_duplicates(nodes_of(np.zeros((3, 4))), Semantic(), 1).partner.tolist() == [KEPT] * 3


def test_no_rows_at_all():
    for grouping in ("pairs", "kmeans", "dbscan", "hierarchical"):
        assert len(semantic_duplicates(nodes_of(np.zeros((0, 4))), Semantic(grouping=grouping), 1).partner) == 0


def test_too_many_pairs_are_refused_in_words(monkeypatch):
    monkeypatch.setattr(semantic, "MOST", 10)
    nodes = nodes_of(clouds(1))
    with pytest.raises(BadConfig, match="more than 10 pairs"):
        semantic_duplicates(nodes, Semantic(threshold=0.5, keep="centroid"), 1)
    monkeypatch.undo()
    monkeypatch.setattr(groups, "LARGEST", 3)
    with pytest.raises(BadConfig, match=r"chain .* rows together"):
        semantic_duplicates(nodes, Semantic(threshold=0.8, grouping="hierarchical"), 1)


def test_clusters_beyond_the_exact_limit_find_nearly_all(monkeypatch):
    nodes = nodes_of(clouds(8, count=6000, centres=1500, spread=0.3, width=48))
    exact = semantic_duplicates(nodes, Semantic(threshold=T), 1)
    monkeypatch.setattr(semantic, "TOGETHER", 1000)
    found = semantic_duplicates(nodes, Semantic(threshold=T, clusters=12), 1)
    gone, should = (found.partner != KEPT).sum(), (exact.partner != KEPT).sum()
    print(f"recall through 12 clusters, three looked in: {gone / should:.4f} of {should}")
    assert gone >= 0.95 * should, "and these centres lie in all directions alike, which is the worst case"


def test_threads_change_nothing():
    from threadpoolctl import threadpool_limits

    nodes = nodes_of(clouds(9, count=3000, centres=400, width=64))
    config = Semantic(threshold=T, grouping="kmeans", clusters=9)
    choices = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            choices.append(semantic_duplicates(nodes, config, 1))
    assert np.array_equal(choices[0].partner, choices[1].partner)
    assert np.array_equal(choices[0].cosine, choices[1].cosine)
