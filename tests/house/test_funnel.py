"""The funnel of the `llm_twin` recipe up to chunk, over the 76 real articles and the real benchmarks: every count."""

import json

import pytest

from conftest import ROOT, Runner
from contract.recipe import load_recipe
from house.chain import manifest_of, put_articles, put_benchmarks, walk

STEPS = ("ingest", "clean", "filter", "deduplicate", "decontaminate", "chunk")
KEPT = {"dropped": {}, "failed": {}, "skipped": {}}


@pytest.fixture
def funnel(tmp_path, shared_data):
    """Walks the recipe over the real articles and some more; returns the accounts of each step, and its figures."""
    put_benchmarks(tmp_path, shared_data)
    articles = json.loads((shared_data / "articles.json").read_text())["artifact_data"]
    recipe = load_recipe(ROOT / "dags" / "recipes" / "llm_twin.yaml")

    def call(more):
        put_articles(tmp_path, articles + more(articles))
        results = walk(recipe, Runner("process", tmp_path), tmp_path, until="chunk")
        assert tuple(results) == STEPS
        manifests = {name: manifest_of(result) for name, result in results.items()}
        accounts = {name: {k: a.model_dump() for k, a in m.accounts.items()} for name, m in manifests.items()}
        return accounts, {name: manifest.metrics for name, manifest in manifests.items()}

    return call


def account(total: int, **dropped: int) -> dict:
    """An account that lost nothing but what was dropped by rule."""
    return {"total": total, "kept": total - sum(dropped.values())} | KEPT | {"dropped": dropped}


def test_seventy_six_articles_pass_every_step_and_give_five_hundred_chunks(funnel):
    accounts, figures = funnel(lambda articles: [])
    assert accounts == {
        "ingest": {"records": account(76)},
        "clean": {"rows": account(76)},
        "filter": {"rows": account(76)},
        "deduplicate": {"rows": account(76)},
        "decontaminate": {"rows": account(76)},
        "chunk": {"rows": account(76), "pieces": account(548, too_short=48)},
    }
    assert figures["chunk"]["chunks"] == 500
    assert figures["decontaminate"]["benchmark_items"] == 1_319 + 541 + 80


def test_what_does_not_belong_leaves_at_its_step_and_the_five_hundred_stay(funnel, shared_data):
    lines = (shared_data / "benchmarks" / "gsm8k_test.jsonl").read_text().splitlines()
    question = max((json.loads(line)["question"] for line in lines[:50]), key=len)

    def more(articles):
        own, first = articles[0], articles[1]["content"]
        return [
            own | {"id": "no-text", "content": None},
            own,
            own | {"id": "short", "content": "Too short for a thought."},
            own | {"id": "copy", "content": own["content"].upper()},
            own | {"id": "nearly", "content": first[: first.rindex(". ", 0, -200) + 1]},
            own | {"id": "exam", "content": f"{'I put this exam to my model one morning. ' * 40}{question}"},
        ]

    accounts, figures = funnel(more)
    assert accounts == {
        "ingest": {"records": account(82, duplicate_id=1, missing_text=1)},
        "clean": {"rows": account(80)},
        "filter": {"rows": account(80, too_short=1)},
        "deduplicate": {"rows": account(79, exact=1, near_duplicate=1)},
        "decontaminate": {"rows": account(77, exact=1)},
        "chunk": {"rows": account(76), "pieces": account(548, too_short=48)},
    }
    assert figures["decontaminate"]["gsm8k_rows_removed"] == 1
