"""Words and n-grams equal to `re` on all text, and all similar pairs equal to the exact truth."""

import re

import numpy as np
import pyarrow.parquet as pq
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curate import shingles
from curate.shingles import as_sets, ngrams, shingle_sets, words
from curate.similar import numbered, similar_pairs
from curate_texts import similarity, word_sets

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


def same_partition(hashes: list[int], values: list) -> bool:
    """Whether equal hashes stand for equal values, and different ones for different values."""
    pairs = set(zip(hashes, values, strict=True))
    return len(pairs) == len({h for h, _ in pairs}) == len({v for _, v in pairs})


def test_every_code_point_is_a_word_character_exactly_when_re_says_so():
    expected = np.array([bool(re.match(r"\w", chr(point))) for point in range(0x110000)])
    assert (shingles._is_word() == expected).all()


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY_TEXT, max_size=8), st.integers(1, 6))
@example(["ΟΔΥΣΣΕΥΣ ΣΑΣ", "İstanbul İ", "a\x00b\ud800c", "東京 タワー", "naïve_e\u0301 ٣٤ x²"], 2)
def test_words_and_ngrams_are_those_of_re(texts, n):
    found = words(texts)
    expected = [re.findall(r"\w+", text.lower()) for text in texts]
    assert found.lengths.tolist() == [len(row) for row in expected]
    assert same_partition(found.values.tolist(), [word for row in expected for word in row])
    sets = shingle_sets(texts, n)
    assert sets.lengths.tolist() == [len(word_sets(text, n)) for text in texts]
    for a in range(len(texts)):
        for b in range(len(texts)):
            shared = len(set(sets.row(a).tolist()) & set(sets.row(b).tolist()))
            assert shared == len(word_sets(texts[a], n) & word_sets(texts[b], n))


def test_long_texts_are_cut_between_words(monkeypatch):
    text = "Ein längerer Text, mit vielen Wörtern. " * 50
    whole = words([text, "end"])
    monkeypatch.setattr(shingles, "BLOCK", 64)
    pieces = words([text, "end"])
    assert (pieces.values == whole.values).all()
    assert (pieces.offsets == whole.offsets).all()


def test_without_short_rows_only_whole_ngrams_come():
    rows = ngrams(words(["a b", "a b c", "", "x y z w"]), 3, short=False)
    assert rows.lengths.tolist() == [0, 1, 0, 2]
    assert as_sets(rows).lengths.tolist() == [0, 1, 0, 2]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcde"), max_size=9).map(" ".join), max_size=25),
    st.sampled_from([0.3, 0.5, 0.7, 0.8, 1.0]),
)
def test_all_similar_pairs_of_small_vocabularies(texts, threshold):
    pairs = similar_pairs(numbered(shingle_sets(texts, 2)), threshold)
    expected = {
        (a, b): similarity(texts[a], texts[b], 2)
        for a in range(len(texts))
        for b in range(a + 1, len(texts))
        if similarity(texts[a], texts[b], 2) >= threshold
    }
    assert dict(zip(zip(pairs.left.tolist(), pairs.right.tolist()), pairs.jaccard.tolist())) == expected  # noqa: B905


def test_all_similar_pairs_of_real_rows(shared_data):
    texts = pq.read_table(shared_data / "neardup" / "short_10k.parquet")["text"].to_pylist()
    truth = np.load(shared_data / "neardup" / "short_10k_pairs.npz")
    pairs = similar_pairs(numbered(shingle_sets(texts, 5)), 0.6)
    expected = np.unique(np.sort(truth["P"], axis=1), axis=0)
    assert (np.column_stack([pairs.left, pairs.right]) == expected).all()
