"""A recipe of seed tasks alone: no documents, and a published dataset all the same."""

import json

from conftest import Runner
from contract.recipe import Recipe
from house.chain import manifest_of, rows_of, walk
from scripted_llm import TaskServer


def test_seed_tasks_alone_become_a_published_dataset(tmp_path):
    seeds = [{"instruction": f"Tell tale {n}.", "instances": [{"output": f"Tale {n}."}]} for n in range(10)]
    (tmp_path / "seeds.jsonl").write_text("".join(json.dumps(seed) + "\n" for seed in seeds))
    with TaskServer() as server:
        instruct = {
            "provider": "openai",
            "base_url": server.url,
            "mode": "self_instruct",
            "self_instruct": {"seeds": {"uri": "seeds.jsonl"}, "topics": ["clocks", "tides"], "count": 36},
        }
        select = {"filter": None, "deduplicate": None, "decontaminate": None}
        recipe = Recipe.model_validate(
            {"name": "seeded", "instruct": instruct, "select": select, "publish": {"test_share": 0.2}}
        )
        made = walk(recipe, Runner("process", tmp_path), tmp_path, {"OPENAI_API_KEY": "sk-test"})
    assert list(made) == ["instruct", "explore", "publish"]
    published = list(rows_of(made["publish"]))
    assert len(published) == 36
    assert {row["split"] for row in published} == {"train", "test"}
    assert {row["source"] for row in published} == {"self-instruct"}
    assert [parent.input for parent in manifest_of(made["instruct"]).parents] == ["sources"]
