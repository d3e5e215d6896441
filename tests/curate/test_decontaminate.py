"""decontaminate: planted copies of real benchmark items, and the law that no row covers what it must not."""

import gzip
import json
import random
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.config.decontaminate import Benchmark, DecontaminateConfig
from contract.failures import BadInput
from contract.records import Document, Sample
from curate.decontaminate.benchmarks import Item, read_items
from curate.decontaminate.matching import ANY_MATCH, COVERAGE, EXACT, Match, Matcher
from curate.decontaminate.passages import Span, common, words_in
from curate_texts import document, read, sample, word_sets, write_dataset

TEXTS = st.lists(st.sampled_from("abcd"), max_size=12).map(" ".join)


def coverage(item: str, row: str, n: int) -> float:
    """Share of the item's words that lie in an n-gram which the row has too."""
    words = re.findall(r"\w+", item.lower())
    of_row = re.findall(r"\w+", row.lower())
    grams = {tuple(of_row[i : i + n]) for i in range(len(of_row) - n + 1)}
    inside = {i + k for i in range(len(words) - n + 1) if tuple(words[i : i + n]) in grams for k in range(n)}
    return len(inside) / max(len(words), 1)


def matcher(items: list[str], **config) -> Matcher:
    numbered = [Item("bench", i, text) for i, text in enumerate(items, 1)]
    return Matcher(numbered, DecontaminateConfig(**config))


def found(items: list[str], rows: list[str], **config) -> list[list[Match]]:
    """The matches of each row."""
    matches = matcher(items, **config).matches(pa.array(rows, pa.string())).held
    return [matches.get(row, []) for row in range(len(rows))]


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=6), st.lists(TEXTS, max_size=8), st.integers(1, 5), st.sampled_from([0, 0.3, 0.5, 0.9]))
def test_a_row_goes_exactly_when_the_plain_reading_says_so(items, rows, n, threshold):
    all_matches = found(items, rows, ngram=n, coverage=threshold, exact=False)
    for row, matches in zip(rows, all_matches, strict=True):
        expected = {i: coverage(item, row, n) for i, item in enumerate(items) if coverage(item, row, n) > threshold}
        assert {match.item: match.value for match in matches} == pytest.approx(expected)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=6), st.lists(TEXTS, max_size=8), st.integers(1, 5))
def test_exact_means_all_words_in_order(items, rows, n):
    for row, matches in zip(rows, found(items, rows, ngram=n, coverage=1), strict=True):
        for i, item in enumerate(items):
            words = item.split()
            if len(words) >= n:
                expected = f" {' '.join(words)} " in f" {row} "
            else:
                expected = bool(words) and item == row
            assert (i in [match.item for match in matches]) == expected


def test_thirteen_words_in_a_row_are_enough_only_when_asked():
    item = " ".join(f"w{i}" for i in range(60))
    row = "before " + " ".join(f"w{i}" for i in range(20, 33)) + " after"
    assert found([item], [row]) == [[]]
    assert found([item], [row, row.replace("w25", "x")], any_match=True) == [[Match(0, ANY_MATCH, 13, 13)], []]


def test_case_and_punctuation_do_not_hide_an_item_and_the_passage_is_shown_as_written():
    item = "Janet’s ducks lay 16 eggs per day; she eats three for breakfast every morning."
    row = "Solve this!\n\nJANET’S ducks lay 16 eggs, per day. She eats three: for breakfast every morning? Go."
    assert found([item], [row])[0][0].rule == EXACT
    longest = "JANET’S ducks lay 16 eggs, per day. She eats three: for breakfast every morning"
    assert common(words_in(row), words_in(item), 8) == (
        [Span(13, 13 + len(longest))],
        [Span(0, len(item) - 1)],
        longest,
    )


def test_an_item_shorter_than_an_ngram_is_found_as_a_whole_line_only():
    rows = ["Hello\nwhat is 2+2 ?\nfour", "Tell me what is 2+2 in Peano arithmetic"]
    assert [len(matches) for matches in found(["What is 2 + 2?"], rows)] == [1, 0]


def bench(tmp_path, name="bench.jsonl", fields=("q",), rows=()):
    (tmp_path / name).write_text("\n".join(json.dumps(row) for row in rows))
    return Benchmark(uri=str(tmp_path / name), name="bench", fields=list(fields))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"q": "a"}, {"other": 1}], r"line 2 has none of the fields q; expected one of its own: other"),
        ([{"q": 3}], r"'q' is a int; expected text"),
        ([3], "line 1: broken record: int, not an object"),
        ([], "no items"),
    ],
)
def test_an_item_that_cannot_be_read_stops_the_stage(tmp_path, rows, message):
    with pytest.raises(BadInput, match=message):
        list(read_items(bench(tmp_path, rows=rows)))


def test_items_of_every_format(tmp_path):
    rows = [{"id": 1, "turns": ["How?", "Why?"]}, {"id": 2, "turns": ["When?"]}]
    lines = "\n".join(map(json.dumps, rows))
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "a.json").write_text(json.dumps({"version": 1, "rows": rows}))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.jsonl.gz", "a.json", "a.parquet"):
        at = "rows" if name.endswith(".json") else ""
        benchmark = Benchmark(uri=str(tmp_path / name), name="b", fields=["turns"], records_at=at)
        assert [item.text for item in read_items(benchmark)] == ["How?\nWhy?", "When?"], name
    (tmp_path / "a.csv").write_text('id,q\n1,"How,\nthen?"\n')
    benchmark = Benchmark(uri=str(tmp_path / "a.csv"), name="b", fields=["q"])
    assert [item.text for item in read_items(benchmark)] == ["How,\nthen?"]


def test_real_benchmarks_planted_among_real_articles(run_stage, shared_data, tmp_path):
    folder = shared_data / "benchmarks"
    benchmarks = [
        {"name": "gsm8k", "uri": str(folder / "gsm8k_test.jsonl"), "fields": ["question"]},
        {"name": "humaneval", "uri": str(folder / "humaneval.jsonl.gz"), "fields": ["prompt"]},
        {"name": "mt_bench", "uri": str(folder / "mt_bench.jsonl"), "fields": ["turns"]},
        {"name": "ifeval", "uri": str(folder / "ifeval.jsonl"), "fields": ["prompt"]},
    ]
    items = {b["name"]: list(read_items(Benchmark(**b))) for b in benchmarks}
    articles = json.loads((shared_data / "articles.json").read_text())["artifact_data"]
    texts = [str(article["content"]) for article in articles]
    rng = random.Random(1)
    planted = {}
    for number, (name, some) in enumerate(items.items()):
        for item in rng.sample(some, 3):
            planted[f"doc-{name}-{item.number}"] = (texts[number] + "\n" + item.text.upper() + "\nand so on", item.name)
    rows = [document(i, text) for i, text in enumerate(texts)]
    rows += [Document(id=key, text=text) for key, (text, _) in planted.items()]
    uri = write_dataset(tmp_path / "in", rows, Document)
    result = run_stage("curate", "decontaminate", {"benchmarks": benchmarks}, [("rows", uri)]).result
    dataset = read(result["uri"])
    ledger = {entry.id: entry for entry in dataset.ledger()}
    assert planted.keys() <= ledger.keys()
    for key, (_, name) in planted.items():
        assert ledger[key].rule == EXACT
        assert ledger[key].value == "1"
        assert ledger[key].detail
        assert ledger[key].partner == name
    kept = [row.text for row in dataset.records(Document)]
    grams = [word_sets(text, 8) for text in kept]
    suspects = [(item, i) for some in items.values() for item in some for i, g in enumerate(grams) if _near(item, g)]
    assert all(coverage(item.text, kept[i], 8) <= 0.5 for item, i in suspects)
    report = json.loads(dataset.file("decontamination/gsm8k.json").read_text())
    assert report["items"] == 1319
    assert report["items_touched"] == report["rows_removed"] == 3
    page = dataset.file("decontamination/gsm8k.html").read_text()
    assert "<mark>" in page


def _near(item: Item, grams: set) -> bool:
    return bool(word_sets(item.text, 8) & grams)


def test_samples_are_searched_over_the_whole_conversation(run_stage, tmp_path):
    question = "A robe takes 2 bolts of blue fiber and half that much white fiber"
    rows = [sample(1, "Solve", f"Sure: {question}. It is 3."), sample(2, "Solve", "<b>Nothing</b> here")]
    benchmark = bench(tmp_path, rows=[{"q": question}]).model_dump()
    config = {"field": "conversation", "benchmarks": [benchmark], "coverage": 0.8}
    hashes = set()
    for workers in (1, 2):
        uri = write_dataset(tmp_path / f"in{workers}", rows, Sample)
        output = f"{tmp_path}/out{workers}/"
        result = run_stage("curate", "decontaminate", config | {"workers": workers}, [("rows", uri)], output).result
        hashes.add(result["content_hash"])
    dataset = read(result["uri"])
    assert [row.id for row in dataset.records(Sample)] == ["sample-2"]
    assert [(entry.rule, entry.also) for entry in dataset.ledger()] == [(EXACT, [COVERAGE])]
    assert len(hashes) == 1


def test_without_benchmarks_every_row_stays(run_stage, tmp_path):
    uri = write_dataset(tmp_path / "in", [document(1, "x")], Document)
    assert run_stage("curate", "decontaminate", {}, [("rows", uri)]).result["rows"] == 1
