"""Laws that hold over the whole house: nothing is lost, the same input gives the same bytes, nothing is done twice."""

import json
import random
from collections import Counter

import pyarrow.parquet as pq
import pytest

from contract.recipe import Recipe
from house.chain import manifest_of, walk


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Two files of documents that give every stage something to keep and something to drop."""
    folder = tmp_path_factory.mktemp("raw")
    rows = [{"id": f"d{n}", "title": f"Notes on topic {n}", "text": _article(n)} for n in range(30)]
    rows += [dict(rows[3], id="copy-of-3"), {"id": "d1", "text": "An id that was there already."}, {"id": "none"}]
    rows += [{"id": "tiny", "text": "Too short."}, {"id": "question", "text": _article(99) + " " + QUESTION}]
    (folder / "articles.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "{not json\n")
    decision = {"sample_id": "nobody", "reviewer": "ann", "verdict": "reject"}
    (folder / "decisions.jsonl").write_text(json.dumps(decision) + "\n" + json.dumps(decision) + "\n")
    (folder / "benchmark.jsonl").write_text(json.dumps({"question": QUESTION}) + "\n")
    return folder


SYLLABLES = ("ba", "cor", "dun", "el", "fir", "gam", "hol", "in", "jas", "kel", "lo", "mur", "nev", "or", "pil", "tas")
QUESTION = "How many golden apples does the gardener give to each of her seven clever daughters before winter?"


def _article(n: int) -> str:
    """Fourteen sentences of made-up words: no two articles share a run of them."""
    choose = random.Random(n)
    words = ["".join(choose.choices(SYLLABLES, k=choose.randint(2, 4))) for _ in range(400)]
    return " ".join(" ".join(choose.choices(words, k=16)).capitalize() + "." for _ in range(14))


@pytest.fixture(scope="module")
def recipe(sources) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "laws",
            "ingest": {
                "sources": [{"uri": str(sources / "articles.jsonl"), "fields": {"id": "id"}}],
                "max_rejected": 0.2,
            },
            "filter": {"length": {"minimum": 200}},
            "decontaminate": {
                "benchmarks": [{"uri": str(sources / "benchmark.jsonl"), "name": "apples", "fields": ["question"]}]
            },
            "chunk": {"minimum": 300, "maximum": 700},
            "decide": {"sources": [{"uri": str(sources / "decisions.jsonl")}]},
            "review": {"sample": 7},
            "publish": {"test_share": 0.2},
        }
    )


@pytest.fixture(scope="module")
def first(recipe, tmp_path_factory):
    """One walk with large shards and one worker."""
    from conftest import Runner

    store = tmp_path_factory.mktemp("store")
    runner = Runner("process", store)
    return store, runner, walk(recipe, runner, store, workers=1)


def test_every_row_of_every_step_is_accounted_for(first):
    _, _, results = first
    for name, result in results.items():
        manifest = manifest_of(result)
        booked = {
            (account, status, rule): count
            for account, books in manifest.accounts.items()
            for status in ("dropped", "failed", "skipped")
            for rule, count in getattr(books, status).items()
        }
        assert _ledger(result, manifest) == booked, name
        assert all(rule in manifest.rules for _, _, rule in booked), name


def test_what_a_step_reads_is_what_the_step_before_wrote(first):
    _, _, results = first
    for result in results.values():
        manifest = manifest_of(result)
        for parent in manifest.parents:
            if parent.input in manifest.accounts:
                assert manifest.accounts[parent.input].total == parent.rows


def test_each_kind_of_loss_was_really_seen(first):
    _, _, results = first
    lost = {
        name: manifest_of(results[name]).main_account for name in ("ingest", "filter", "deduplicate", "decontaminate")
    }
    assert lost["ingest"].total - lost["ingest"].kept == 3, lost["ingest"]
    for name in ("filter", "deduplicate", "decontaminate"):
        assert sum(lost[name].dropped.values()) == 1, lost[name]


def test_other_shards_and_workers_give_the_same_content(recipe, first, tmp_path):
    _, runner, results = first
    again = walk(recipe, runner, tmp_path, shard_rows=7, workers=2)
    assert {name: r["content_hash"] for name, r in again.items()} == {n: r["content_hash"] for n, r in results.items()}


def test_a_second_walk_does_nothing(recipe, first):
    store, runner, results = first
    again = walk(recipe, runner, store, shard_rows=11)
    assert all(result["reused"] for result in again.values())
    assert {name: r["uri"] for name, r in again.items()} == {name: r["uri"] for name, r in results.items()}


def _ledger(result, manifest) -> Counter:
    folder = result["uri"].removeprefix("file://")
    rows = [
        row
        for shard in manifest.dropped_shards
        for row in pq.read_table(f"{folder}/{shard.path}", columns=["account", "status", "rule"]).to_pylist()
    ]
    return Counter((row["account"], row["status"], row["rule"]) for row in rows)
