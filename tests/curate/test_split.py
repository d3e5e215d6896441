"""The split: no leak, and hardly a move when rows are added."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.failures import BadInput
from contract.records import Sample
from curate.publish.split import MOST_UNITS, Split, leaks, split
from curate.shingles import shingle_sets
from curate.similar import links
from curate_texts import cross_pairs, sample

WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]


def rows_of(rng: random.Random, count: int, documents: int) -> list[Sample]:
    """Samples with some near-duplicates across documents."""
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(3, 12))) for _ in range(max(2, count // 2))]
    return [
        sample(i, rng.choice(texts), " ".join(rng.choices(WORDS, k=9)), f"d{rng.randrange(documents)}")
        for i in range(count)
    ]


def sides(rows: list[Sample], share=0.2, near=0.7, seed=0) -> dict[str, bool]:
    result, _ = split_of(rows, share, near, seed)
    return {row.id: bool(test) for row, test in zip(rows, result.test, strict=True)}


def split_of(rows: list[Sample], share=0.2, near=0.7, seed=0) -> tuple[Split, list]:
    pairs = [links(shingle_sets([getattr(row, name) for row in rows], 5), near) for name in ("instruction", "answer")]
    return split([f"document {row.document_id}" for row in rows], pairs, share, seed), pairs


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(2, 40), st.sampled_from([0.05, 0.3, 0.5]))
def test_both_sides_have_rows_and_nothing_leaks(seed, count, documents, share):
    rows = rows_of(random.Random(seed), count, documents)
    try:
        result, pairs = split_of(rows, share)
    except BadInput:
        assert len(set(split_of(rows, 0)[0].group.tolist())) == 1
        return
    test = {row.id: bool(side) for row, side in zip(rows, result.test, strict=True)}
    assert 0 < sum(test.values()) <= len(rows) / 2
    assert not leaks(result, pairs)
    assert not cross_pairs(rows, test, 0.7)


def test_the_share_is_met_on_many_documents():
    rows = [sample(i, f"question number {i} of {i * 7}", f"answer {i} {i * i}", f"d{i // 5}") for i in range(5000)]
    assert sum(sides(rows, share=0.05).values()) == pytest.approx(250, rel=0.2)
    assert sides(rows, seed=1) != sides(rows)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_rows_added_to_other_documents_move_nothing(seed, more):
    rng = random.Random(seed)
    old = [sample(i, f"question {i} about {i}", f"answer {i} is {i}", f"d{i // 2}") for i in range(100)]
    new = [sample(f"n{i}", f"new question {i} on {i}", f"new answer {i} at {i}", f"n{i // 2}") for i in range(more)]
    together = old + new
    rng.shuffle(together)
    before, after = sides(old), sides(together)
    assert {id: after[id] for id in before} == before


def test_what_was_for_testing_stays_so_even_when_a_row_ties_two_groups():
    old = [sample(i, f"question {i} about {i} things", f"answer {i} is {i}", f"d{i}") for i in range(100)]
    before = sides(old)
    tested = next(row for row in old if before[row.id])
    trained = next(row for row in old if not before[row.id])
    bridge = sample("bridge", tested.instruction, trained.answer, "new document")
    after = sides([*old, bridge])
    assert all(after[id] for id in (tested.id, trained.id, bridge.id))
    assert {id for id in before if before[id] != after[id]} == {trained.id}


def test_a_long_chain_of_documents_trains():
    chained = [sample(i, "the same question for all of these", f"answer {i}", f"d{i}") for i in range(MOST_UNITS * 5)]
    others = [sample(f"o{i}", f"question {i} and {i}", f"other answer {i}", f"o{i}") for i in range(60)]
    test = sides(chained + others, share=0.5)
    assert not any(test[row.id] for row in chained)
    assert any(test.values())


def test_one_group_cannot_be_split():
    rows = [sample(i, f"question {i}", f"answer {i}", "d") for i in range(9)]
    with pytest.raises(
        BadInput, match=r"all 9 samples belong to one group.*test split would be empty.*test_share to 0"
    ):
        sides(rows)
    assert not any(sides(rows, share=0).values())
