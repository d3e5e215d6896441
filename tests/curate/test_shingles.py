"""Words and n-grams equal to `re` on all text, and all similar pairs equal to the exact truth."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curate.scan.buffers import utf8
from curate.scan.characters import DOTTED_I, LOWER, SPACE, WORD, characters
from curate.scan.hashed import folded_digests, text_digests
from curate.shingles import as_sets, ngrams, shingle_sets, words
from curate.similar import numbered, similar_pairs
from curate_texts import similarity, word_sets

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
PIECES = ["a", "Bc_9", " ", "-", "é", "東", "x" * 7, "y" * 8, "z" * 30, "Z" * 63, "w" * 64, "v" * 65, "u" * 130]
LONG_TEXT = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)  # of several blocks, cut in all places
MIXED_TEXT = ANY_TEXT | st.text("aZ_9 .-éÉ東İK", max_size=60)


def same_partition(hashes: list[int], values: list) -> bool:
    """Whether equal hashes stand for equal values, and different ones for different values."""
    pairs = set(zip(hashes, values, strict=True))
    return len(pairs) == len({h for h, _ in pairs}) == len({v for _, v in pairs})


def lowered(text: str) -> str:
    """Lower case as the scan has it."""
    return text.lower().replace("ς", "σ")


def test_every_code_point_is_what_python_says_it_is():
    table = characters()
    for point in range(0x110000):
        lower = lowered(chr(point))
        word, space = re.match(r"\w", lower) is not None, lower.isspace()
        entry = int(table[point]) if point < len(table) else point
        assert entry & LOWER == ord(lower[0]), hex(point)
        assert (bool(entry & WORD), bool(entry & SPACE)) == (word, space), hex(point)
        assert len(lower) == 1 or point == DOTTED_I


def test_final_sigma_is_a_sigma():
    assert same_partition(
        words(["ΟΔΥΣΣΕΥΣ Οδυσσεύς ς Σ σ", "οδυσσευσ οδυσσεύς"]).values.tolist(), [1, 2, 3, 3, 3, 1, 2]
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(MIXED_TEXT, max_size=8), st.integers(1, 6))
@example(["ΟΔΥΣΣΕΥΣ ΣΑΣ", "İstanbul İ Kelvin", "a\x00b\ud800c", "東京 タワー", "naïve_e\u0301 ٣٤ x²"], 2)
@example(["a_very_long_identifier_of_thirty_odd_bytes", "a_very_long_identifiér_of_thirty_odd_bytes", "ABCDEFGHé"], 1)
def test_words_and_ngrams_are_those_of_re(texts, n):
    found = words(texts)
    expected = [re.findall(r"\w+", lowered(text)) for text in texts]
    assert found.lengths.tolist() == [len(row) for row in expected]
    assert same_partition(found.values.tolist(), [word for row in expected for word in row])
    texts = [lowered(text) for text in texts]
    sets = shingle_sets(texts, n)
    assert sets.lengths.tolist() == [len(word_sets(text, n)) for text in texts]
    for a in range(len(texts)):
        for b in range(len(texts)):
            shared = len(set(sets.row(a).tolist()) & set(sets.row(b).tolist()))
            assert shared == len(word_sets(texts[a], n) & word_sets(texts[b], n))


@settings(max_examples=200, deadline=None)
@given(st.lists(LONG_TEXT, max_size=4))
def test_a_word_is_the_same_wherever_the_blocks_cut(texts):
    found = words(texts)
    expected = [re.findall(r"\w+", text.lower()) for text in texts]
    assert found.lengths.tolist() == [len(row) for row in expected]
    alone = [int(words([word]).values[0]) for row in expected for word in row]
    assert found.values.tolist() == alone


SPACES = [" ", " ", "  ", "\n", "\t \r\n", "\x1f", "\u2003", "\x85 "]
SPACED = st.lists(st.sampled_from([*PIECES, *SPACES, "İ", "ß", "A", "_"]), max_size=60).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(SPACED | MIXED_TEXT, min_size=1, max_size=6))
@example([" " * 70, "a" * 64 + " ", " " + "A" * 63, "a" * 63 + "  b", ""])
def test_folded_digests_are_equal_where_case_and_white_space_alone_differ(texts):
    texts += [text.swapcase() for text in texts] + [f"\n{text} " for text in texts]
    digests = folded_digests(utf8(texts), np.arange(len(texts)))
    expected = [" ".join(lowered(text).split()) for text in texts]
    assert same_partition(digests[:, 0].tolist(), expected)
    assert same_partition(digests[:, 1].tolist(), expected)


@settings(max_examples=100, deadline=None)
@given(st.lists(SPACED | st.text(), max_size=6))
def test_digests_tell_texts_apart_and_lengths_are_in_characters(texts):
    digests, lengths = text_digests(utf8(texts))
    assert lengths.tolist() == [len(text) for text in texts]
    assert same_partition(digests[:, 0].tolist(), texts)
    assert same_partition(digests[:, 1].tolist(), texts)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=8), st.sampled_from([pa.string(), pa.large_string()]), st.data())
def test_arrow_strings_are_read_from_their_buffers(texts, kind, data):
    start = data.draw(st.integers(0, len(texts)))
    found, expected = words(pa.array(texts, kind)[start:]), words(texts[start:])
    assert (found.values == expected.values).all()
    assert (found.offsets == expected.offsets).all()
    assert words(pa.array([None, "a b", None], kind)).lengths.tolist() == [0, 2, 0]


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
