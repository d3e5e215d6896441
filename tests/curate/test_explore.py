"""explore: figures that add up, a funnel that says what the manifests say, a page that escapes everything."""

import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.records import Document, Sample
from curate.explore.funnel import funnel
from curate.explore.histograms import histogram
from curate.explore.statistics import Statistics
from curate_texts import document, read, sample, write_dataset


@given(st.lists(st.integers(0, 3000), max_size=200))
def test_a_histogram_counts_every_value_once(lengths):
    bins = histogram(lengths)
    assert sum(entry["count"] for entry in bins) == len(lengths)
    assert len(bins) <= 60
    for entry in bins[:-1]:
        assert entry["count"] == sum(entry["from"] <= length <= entry["to"] for length in lengths)


def test_figures():
    rows = [
        sample(1, "What is a moon?", "A moon goes round a planet.", "d1", source="astro", scores={"judge": 4.0}),
        sample(2, "What is a star?", "A star shines. A star burns.", "d1", license="mit", scores={"judge": 2.0}),
    ]
    statistics = Statistics(examples=1)
    statistics.add(rows[:1])
    statistics.add(rows[1:])
    data = statistics.as_json()
    assert (data["samples"], data["documents"], data["messages"]) == (2, 1, 4)
    assert data["text"]["instruction"]["words"]["total"] == 8
    assert data["text"]["instruction"]["vocabulary"] == 5
    assert data["text"]["instruction"]["distinct_ngrams"] == {"1": 0.625, "2": 0.6667, "3": 0.75, "4": 1.0}
    assert data["origin"]["license"] == [("(none)", 1), ("mit", 1)]
    assert data["openings"] == [("what is", 2)]
    assert data["scores"]["judge"]["mean"] == 3.0
    assert len(statistics.conversations()) == 1


def test_the_conversations_shown_do_not_depend_on_order():
    rows = [sample(i, f"question {i}", "answer") for i in range(50)]
    shuffled = random.Random(0).sample(rows, 50)
    chosen = []
    for some in (rows, shuffled):
        statistics = Statistics(examples=3)
        for start in range(0, 50, 7):
            statistics.add(some[start : start + 7])
        chosen.append([row.id for row in statistics.conversations()])
    assert chosen[0] == chosen[1]


HOSTILE = "<script>alert('x')</script> & \"quotes\" </pre>"


@pytest.fixture
def steps(run_stage, tmp_path):
    """Two real steps with something dropped in each."""
    long = " ".join(f"<b>word{i}</b>" for i in range(900))
    rows = [document(i, f"{long} and number {i} {i * i} {HOSTILE}") for i in range(3)]
    rows += [document("copy", rows[0].text), document("short", HOSTILE)]
    uri = write_dataset(tmp_path / "d", rows, Document)
    first = run_stage("curate", "filter", {"length": {"minimum": 100}}, [("rows", uri)])
    second = run_stage("curate", "deduplicate", {"threshold": 0.9}, [("rows", first.result["uri"])])
    return [first.result["uri"], second.result["uri"]]


def test_the_report_of_real_steps(run_stage, tmp_path, steps):
    rows = [sample(i, f"{HOSTILE} {i}", HOSTILE, source=HOSTILE, author=HOSTILE, tags=[HOSTILE]) for i in range(3)]
    inputs = [("rows", write_dataset(tmp_path / "samples", rows, Sample)), *(("steps", uri) for uri in steps)]
    env = {"NOCTURNE_RECIPE": HOSTILE}
    result = run_stage("curate", "explore", {"examples": 2}, inputs, env=env).result
    dataset = read(result["uri"])
    page = dataset.file("report.html").read_text()
    assert "<script" not in page
    assert "alert(&#39;x&#39;)" in page
    assert not re.search(r"(src|href)=", page), "the page must need nothing else"
    assert len(page) < 1_000_000
    data = json.loads(dataset.file("report.json").read_text())
    assert data["samples"] == 3
    expected = [read(uri).manifest for uri in steps]
    assert [(s["step"], s["rows_in"], s["rows_out"]) for s in data["funnel"]] == [
        (m.stage, m.rows_in, m.rows_out) for m in expected
    ]
    for step, manifest in zip(data["funnel"], expected, strict=True):
        rules = {rule["rule"]: rule["count"] for rule in step["accounts"][0]["rules"]}
        assert rules == manifest.main_account.dropped
        assert all(rule["description"] and len(rule["examples"]) <= 2 for rule in step["accounts"][0]["rules"])
    example = data["funnel"][1]["accounts"][0]["rules"][0]["examples"][0]
    assert example["partner"].startswith("doc-")
    assert example["text"].startswith("<b>word0</b> <b>word1</b>"), "a long row's text is shown, not its JSON"
    assert run_stage("curate", "explore", {"examples": 2}, inputs, env=env).result["reused"]


def test_examples_can_be_none(steps):
    for step in funnel([read(uri) for uri in steps], examples=0):
        assert all(not rule["examples"] for account in step["accounts"] for rule in account["rules"])
