"""decontaminate: the rules beside exact and coverage, each against a plain reading of what it says."""

import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.config.decontaminate import DecontaminateConfig, Origins
from contract.records import Document, Message, Sample
from curate.decontaminate.benchmarks import Item
from curate.decontaminate.index import Index
from curate.decontaminate.matching import NEAR, WEIGHTED, Matcher
from curate.decontaminate.origins import origins_of
from curate.shingles import ngrams, words
from curate.text import text_column
from curate_texts import document, sample, word_sets
from stagekit.schema import to_batch

TEXTS = st.lists(st.sampled_from("abc"), max_size=14).map(" ".join)
LONG = st.lists(st.sampled_from("ab"), max_size=40).map(" ".join)  # of n-grams that come again at all places
SEVEN = "How many golden apples does the gardener give to each of her seven clever daughters before winter?"


def found(items: list[Item], rows: list[str], **config) -> list[dict[int, float]]:
    """Items and values by row, by one rule alone."""
    matcher = Matcher(items, DecontaminateConfig(exact=False, coverage=1, **config))
    matches = matcher.matches(pa.array(rows, pa.string())).held
    return [{match.item: match.value for match in matches.get(row, [])} for row in range(len(rows))]


def plain(texts: list[str]) -> list[Item]:
    return [Item("bench", number, text) for number, text in enumerate(texts, 1)]


@settings(max_examples=200)
@given(st.lists(LONG, max_size=4), st.lists(LONG, max_size=6), st.integers(1, 16))
def test_the_index_finds_the_ngrams_that_numpy_finds(items, rows, n):
    index, words_of_rows = Index(words(items), n), words(rows)
    shared = index.shared(words_of_rows)
    known = set(ngrams(words(items), n, short=False).values.tolist())
    of_rows = ngrams(words_of_rows, n, short=False)
    expected = {(row, gram) for row in range(len(rows)) for gram in of_rows.row(row).tolist() if gram in known}
    found = list(zip(shared.row.tolist(), index.keys[shared.gram].tolist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == expected
    first = {(row, gram): of_rows.row(row).tolist().index(gram) for row, gram in expected}
    assert dict(zip(found, shared.place.tolist(), strict=True)) == first


@settings(max_examples=60)
@given(st.lists(TEXTS, max_size=6), st.lists(TEXTS, max_size=8), st.sampled_from([0.2, 0.5, 0.75, 1]))
def test_near_is_true_jaccard_of_five_grams(items, rows, threshold):
    for row, values in zip(rows, found(plain(items), rows, near=threshold), strict=True):
        sets = [(i, word_sets(item, 5), word_sets(row, 5)) for i, item in enumerate(items)]
        long = [(i, a, b) for i, a, b in sets if all(len(gram) == 5 for gram in a | b) and a and b]
        expected = {i: len(a & b) / len(a | b) for i, a, b in long if len(a & b) / len(a | b) >= threshold}
        assert values == pytest.approx(expected)


def weighted_share(items: list[str], item: str, row: str) -> float:
    """Share of an item's 5-grams in a row, each weighed by how few items hold it."""
    grams = {gram for gram in word_sets(item, 5) if len(gram) == 5}
    idf = {gram: math.log1p(len(items) / sum(gram in word_sets(other, 5) for other in items)) for gram in grams}
    there = word_sets(row, 5)
    return sum(idf[gram] for gram in grams & there) / sum(idf.values()) if grams else 0


@settings(max_examples=60)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.lists(TEXTS, max_size=8))
def test_a_short_question_without_answer_must_be_held_in_full(items, rows):
    for row, values in zip(rows, found(plain(items), rows, weighted=0.5), strict=True):
        shares = {i: weighted_share(items, item, row) for i, item in enumerate(items)}
        assert values == pytest.approx({i: share for i, share in shares.items() if share >= 1 - 1e-9})


def test_a_long_question_needs_the_threshold_and_rare_words_weigh_more():
    rare, common = " ".join(f"r{i}" for i in range(40)), " ".join(f"c{i}" for i in range(40))
    items = [f"{rare} {common}"] + [f"x{i} {common}" for i in range(30)]
    (by_rare, by_common) = found(plain(items), [rare, common], weighted=0.6)
    assert by_rare == pytest.approx({0: weighted_share(items, items[0], rare)})
    assert by_rare[0] > 0.7
    assert 0 not in by_common  # the same number of words


@pytest.mark.parametrize(
    ("answer", "row", "held"),
    [
        ("sixty three", f"{SEVEN} The answer is sixty three.", True),
        ("sixty three", f"{SEVEN} She keeps her own counsel.", False),
        ("sixty three", f"{SEVEN} {'and so on ' * 40} sixty three", False),  # too far from the question
        ("sixty three", f"{SEVEN} It is three and sixty.", False),  # a short answer stands whole or not at all
        ("63", f"{SEVEN} 63", True),
        ("", f"{SEVEN} Whatever follows.", True),
        ("she gives nine of them to each one", f"{SEVEN} Well, she gives nine of them to each one.", True),
    ],
)
def test_an_answer_counts_near_the_question_only(answer, row, held):
    item = Item("bench", 1, SEVEN, SEVEN, answer)
    assert (found([item], [row], weighted=0.8)[0].keys() == {0}) == held


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.lists(TEXTS, max_size=8), st.integers(1, 30))
def test_postings_spread_out_in_parts_are_the_same(items, rows, at_once):
    config = {"near": 0.2, "weighted": 0.3, "ngram": 2, "coverage": 0.1}
    matcher, texts = Matcher(plain(items), DecontaminateConfig(**config)), pa.array(rows, pa.string())
    whole = matcher.matches(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("curate.decontaminate.index.POSTINGS", at_once)
        assert matcher.matches(texts) == whole


def test_rules_are_told_apart():
    matcher = Matcher(plain([SEVEN]), DecontaminateConfig(exact=False, coverage=1, near=0.5, weighted=0.8))
    assert [match.rule for match in matcher.matches(pa.array([SEVEN])).held[0]] == [NEAR, WEIGHTED]


URLS = {
    "https://codeforces.com/problemset/1": True,
    "http://m1.CodeForces.com:8080/x": True,
    "https://notcodeforces.com/": False,
    "https://example.org/codeforces.com": False,
    "https://[broken": False,
    "": False,
    None: False,
}


def test_origin_is_domain_with_subdomains_source_or_licence():
    rows = [document(i, "x", url=url) for i, url in enumerate(URLS)]
    rows += [document("s", "x", source="OpenAI/GSM8K"), document("l", "x", license="cc-by-nc-4.0")]
    config = Origins(domains=["codeforces.com"], sources=["openai/gsm8k"], licenses=["CC-BY-NC-4.0"])
    origins = origins_of(to_batch(rows, Document), config)
    assert set(origins) == {i for i, listed in enumerate(URLS.values()) if listed} | {len(URLS), len(URLS) + 1}
    assert origins[len(URLS)] == ("OpenAI/GSM8K", "openai/gsm8k")
    assert origins_of(to_batch(rows, Document), Origins()) == {}


CONVERSATIONS = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(max_size=4)), max_size=5)


@given(st.lists(CONVERSATIONS, min_size=1, max_size=6), st.integers(0, 2))
def test_texts_of_samples_in_columns_are_those_of_the_record(conversations, skip):
    rows = [sample(i, "", "").model_copy(update={"messages": _messages(some)}) for i, some in enumerate(conversations)]
    batch = to_batch(rows, Sample)[skip:]
    rows = rows[skip:]
    assert text_column(batch, "instruction").to_pylist() == [row.instruction for row in rows]
    assert text_column(batch, "answer").to_pylist() == [row.answer for row in rows]
    whole = ["\n\n".join(message.content for message in row.messages) for row in rows]
    assert text_column(batch, "conversation").to_pylist() == whole


def _messages(said):
    return [Message(role=role, content=content) for role, content in said]
