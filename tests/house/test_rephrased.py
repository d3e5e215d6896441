"""A document that says what a benchmark item says: found by decontaminate, judged by a model, gone from both passes."""

import json

import pytest

from conftest import Runner
from contract.recipe import Recipe
from house.chain import folder_of, manifest_of, rows_of, walk
from scripted_llm import ScriptedServer

QUESTION = "How many golden apples does the gardener give to each of her seven clever daughters before winter comes?"
REPHRASED = (
    "Before winter comes, a gardener shares golden apples. Each daughter is clever; seven they are. How many each?"
)
ALIKE = "Before winter comes, a gardener gives her seven daughters boots. What colour are those of the clever daughter?"
FILLER = "Clocks keep time by pendulums. Whoever winds them hears them strike the hour. Their weights fall slowly."


def knows(body):
    return {"reason": "apples or boots", "rephrases": "boots" not in body["messages"][1]["content"]}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Results of the steps up to the check of documents."""
    store = tmp_path_factory.mktemp("store")
    rows = [{"id": name, "text": text} for name, text in (("same", REPHRASED), ("alike", ALIKE), ("clock", FILLER))]
    (store / "raw.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (store / "exam.jsonl").write_text(json.dumps({"question": QUESTION}) + "\n")
    with ScriptedServer(knows) as server:
        recipe = Recipe.model_validate(
            {
                "name": "checked",
                "ingest": {"sources": [{"uri": "raw.jsonl", "fields": {"id": "id"}}]},
                "filter": None,
                "deduplicate": None,
                "decontaminate": {
                    "benchmarks": [{"name": "exam", "uri": "exam.jsonl", "fields": ["question"]}],
                    "rephrased": {"threshold": 1.0, "check": 0.0001},
                },
                "check_rephrased": {"base_url": server.url},
            }
        )
        env = {"OPENAI_API_KEY": "sk-test"}
        return walk(recipe, Runner("process", store), store, env, until="check_rephrased"), server.seen


def test_the_model_decides_about_what_decontaminate_was_unsure_of(made):
    results, seen = made
    assert manifest_of(results["decontaminate"]).metrics["rows_to_check"] == len(seen) == 2
    ids = {row["id"]: row["text"] for row in rows_of(results["check_rephrased"])}
    assert set(ids.values()) == {ALIKE, FILLER}
    account = manifest_of(results["check_rephrased"]).accounts["rows"]
    assert (account.total, account.kept, account.dropped) == (3, 2, {"rephrased_by_model": 1})


def test_each_pair_and_its_verdict_can_be_read(made):
    path = folder_of(made[0]["check_rephrased"]) / "check_rephrased" / "verdicts.jsonl"
    said = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["item"], line["rephrases"]) for line in said] == [("exam:1", True), ("exam:1", False)]
