"""From documents to published preferences: instruct, evolve with three models that answer and a judge, publish."""

import json
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT, Runner
from contract.recipe import Recipe
from house.chain import folder_of, manifest_of, rows_of, walk
from scripted_llm import Evolver, ScriptedServer

WORDS = "The {0} keeps time by a {1} of {2} parts. It is wound every {2} days, and rings once for each {1} that it has."
CLOCKS = [("tower clock", "pendulum"), ("water clock", "float"), ("ship clock", "spring"), ("sun dial", "shadow")]
MERIT = {"good": 5, "fair": 4, "poor": 2}


def articles() -> list[dict[str, str]]:
    """Four short articles, each long enough for a chunk or two."""
    return [
        {"id": name, "text": "\n\n".join(WORDS.format(name, part, number) for number in range(3, 19))}
        for name, part in CLOCKS
    ]


def recipe(url: str) -> Recipe:
    models = [{"model": name, "base_url": url} for name in MERIT]
    return Recipe.model_validate(
        {
            "name": "clocks",
            "ingest": {"sources": [{"uri": "raw/clocks.jsonl", "name": "clocks", "constants": {"license": "MIT"}}]},
            "filter": None,
            "deduplicate": None,
            "decontaminate": None,
            "instruct": {"pairs": 2},
            "evolve": {
                "base_url": url,
                "rounds": 2,
                "concurrency": 16,
                "compare": {"answerers": models, "judge": {"model": "judge", "base_url": url}},
            },
            "select": {
                "filter": {"field": "instruction", "keywords": {"exclude": ["water clock"]}},
                "deduplicate": None,
                "decontaminate": None,
            },
            "publish": {"test_share": 0.3},
        }
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The results of every step."""
    store = tmp_path_factory.mktemp("store")
    (store / "raw").mkdir()
    (store / "raw" / "clocks.jsonl").write_text("".join(json.dumps(article) + "\n" for article in articles()))
    model = Evolver(
        answer=lambda text, name: f"{name} says of {' '.join(text.split()[:12])} that it depends on its make.",
        rate=lambda answer, aspect: MERIT[answer.split()[0]],
    )
    with ScriptedServer(model) as server:
        return walk(recipe(server.url), Runner("process", store), store, {"OPENAI_API_KEY": "sk-test"})


def test_every_published_sample_leads_back_to_its_chunk_and_document(made):
    chunks = {row["id"]: row for row in rows_of(made["chunk"])}
    seeds = {row["id"]: row for row in rows_of(made["instruct"])}
    evolved = [row for row in rows_of(made["publish"]) if row["kind"] == "evolved"]
    assert len(evolved) > 10
    for row in evolved:
        seed = seeds[row["parent_ids"][0]]
        assert len(row["parent_ids"]) == int(row["tags"][1].removeprefix("round-"))
        assert seed["kind"] == "instruct"
        assert row["chunk_id"] == seed["chunk_id"]
        assert chunks[row["chunk_id"]]["document_id"] == row["document_id"]
        assert row["license"] == "MIT"
        assert row["model"] == "good"


def test_preferences_of_dropped_samples_stay_behind(made):
    account = manifest_of(made["publish"]).accounts["preferences"]
    assert account.total == manifest_of(made["evolve"]).metrics["preferences"]
    assert account.dropped["sample_gone"] > 0
    assert account.kept == sum(row["kind"] == "evolved" for row in rows_of(made["publish"]))


def test_preferences_load_with_datasets(made, tmp_path):
    """As evolve wrote them, and as published, each beside its sample."""
    evolved, published = folder_of(made["evolve"]) / "preferences.jsonl", folder_of(made["publish"])
    given = loaded(f'load_dataset("json", data_files={str(evolved)!r})', tmp_path)
    assert {row["chosen_model"] for row in given["train"]} == {"good"}
    assert {row["rejected_model"] for row in given["train"]} == {"poor"}
    sides = {row["id"]: row["split"] for row in rows_of(made["publish"])}
    shipped = loaded(f'load_dataset({str(published)!r}, "preferences")', tmp_path)
    assert set(shipped) == {"train", "test"}
    for split, rows in shipped.items():
        for row in rows:
            assert sides[row["id"]] == split
            assert [turn["role"] for turn in row["prompt"] + row["chosen"]] == ["user", "assistant"]
            assert "water clock" not in row["prompt"][0]["content"]


def loaded(call: str, folder: Path) -> dict[str, list[dict]]:
    """What `datasets` reads, from the image that has it."""
    code = (
        f"import json; from datasets import load_dataset; print(json.dumps({{k: list(v) for k, v in {call}.items()}}))"
    )
    env = {"HF_HOME": str(folder), "HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
    python = str(ROOT / ".venv" / "curate" / "bin" / "python")
    done = subprocess.run([python, "-c", code], env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
