"""decontaminate, measured recall: what the changes change, and that the figures are those of the rules."""

import json
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.decontaminate import DecontaminateConfig, Rephrased
from contract.records import Document
from contract.stages import BY_NAME
from curate.decontaminate.benchmarks import Item
from curate.decontaminate.matching import Matcher
from curate.decontaminate.perturb import KINDS, perturbed
from curate.decontaminate.recall import measured
from curate_texts import document, read, write_dataset

TEXT = "Janet has 16 ducks, and she sells eggs. How much does she make? She pays $2 for each egg; others pay more."
WORDS = [f"w{i}" for i in range(50)]
ITEMS = [Item("bench", i, f"{' '.join(WORDS[i : i + 30])}. Then what about {i}?") for i in range(1, 15)]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


@given(st.text(max_size=80), st.sampled_from(sorted(KINDS)), st.text(max_size=5))
def test_a_copy_is_the_same_whenever_it_is_made(text, kind, seed):
    assert perturbed(text, kind, seed, WORDS) == perturbed(text, kind, seed, WORDS)


@pytest.mark.parametrize("kind", ["copy", "case", "punctuation"])
def test_case_and_marks_change_no_word(kind):
    copy = perturbed(TEXT, kind, "a", WORDS)
    assert words(copy) == words(TEXT)
    assert (copy == TEXT) == (kind == "copy")


@pytest.mark.parametrize(("kind", "edits"), [("words_1", 2), ("words_3", 6), ("words_5", 10), ("words_10", 20)])
def test_a_share_of_the_words_is_edited(kind, edits):
    text = " ".join(f"x{i}" for i in range(200))
    kept = len(set(words(text)) & set(words(perturbed(text, kind, "a", WORDS))))
    gone = len(set(words(text))) - kept
    assert 0 < gone <= edits


def test_moved_sentences_are_the_same_sentences():
    copy = perturbed(TEXT, "sentences", "a", WORDS)
    assert copy != TEXT
    assert sorted(words(copy)) == sorted(words(TEXT))
    assert perturbed("One sentence only.", "sentences", "a", WORDS) == "One sentence only."
    assert TEXT in perturbed(TEXT, "embedded", "a", WORDS)


def test_the_figures_are_what_the_rules_say_of_each_copy():
    matcher = Matcher(ITEMS, DecontaminateConfig(near=0.6, rephrased=Rephrased()))
    others = sorted({word for item in ITEMS for word in re.findall(r"[^\W\d_]+", item.text)})
    found = {recall.kind: recall for recall in measured(matcher, ITEMS, {"bench": ["", ITEMS[0].text, "Other words"]})}
    assert found.keys() == KINDS.keys() | {"paraphrase"}
    for kind in KINDS:
        pairs = [(item.text, perturbed(item.text, kind, item.name, others)) for item in ITEMS]
        copies = [copy for text, copy in pairs if kind == "copy" or copy != text]
        held = matcher.matches(pa.array(copies)).held
        assert (found[kind].tried, found[kind].caught) == (len(copies), len(held))
        assert found[kind].rules == {
            rule: count
            for rule in ("any_match", "exact", "near", "ngram_coverage", "rephrased", "weighted")
            if (count := sum(rule in [match.rule for match in matches] for matches in held.values()))
        }
    assert found["copy"].share == 1
    assert (found["paraphrase"].tried, found["paraphrase"].caught) == (2, 1)


def test_large_benchmarks_are_tried_in_part_and_evenly(monkeypatch):
    monkeypatch.setattr("curate.decontaminate.recall.MOST", 50)
    items = [Item("large", i, " ".join(f"x{i}{place}" for place in "abcdefghij")) for i in range(101)]
    found = measured(Matcher(items, DecontaminateConfig()), items, {})
    assert all(recall.tried <= 50 for recall in found)
    assert found[0].tried == found[0].caught > 25


def test_recall_beside_the_data(run_stage, tmp_path):
    (tmp_path / "bench.jsonl").write_text("".join(json.dumps({"q": item.text}) + "\n" for item in ITEMS))
    (tmp_path / "reworded.jsonl").write_text("".join(json.dumps({"text": "Not like it"}) + "\n" for _ in ITEMS))
    paraphrases = {"uri": str(tmp_path / "reworded.jsonl")}
    bench = {"name": "bench", "uri": str(tmp_path / "bench.jsonl"), "fields": ["q"], "paraphrases": paraphrases}
    uri = write_dataset(tmp_path / "in", [document(1, "Nothing of it")], Document)
    config = {"benchmarks": [bench], "measure_recall": True}
    result = run_stage("curate", "decontaminate", config, [("rows", uri)]).result
    dataset = read(result["uri"])
    assert result["rows"] == 1
    assert result["metrics"]["bench_recall_copy"] == 1
    assert result["metrics"]["bench_recall_paraphrase"] == 0
    report = json.loads(dataset.file("decontamination/bench.json").read_text())
    assert [recall["kind"] for recall in report["recall"]] == [*KINDS, "paraphrase"]
    page = dataset.file("decontamination/bench.html").read_text()
    assert "10 % of words edited" in page


def test_paraphrases_are_part_of_the_key_only_where_they_are_read():
    benchmark = {"name": "b", "uri": "b.jsonl", "fields": ["q"], "paraphrases": {"uri": "p.jsonl"}}
    stage = BY_NAME["decontaminate"]
    for on in (False, True):
        sources = stage.sources(DecontaminateConfig(benchmarks=[benchmark], measure_recall=on))
        assert [source.uri for source in sources] == ["b.jsonl"] + ["p.jsonl"] * on
