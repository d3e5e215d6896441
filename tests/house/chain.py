"""Walks a recipe's refresh from end to end through the stages' own command lines, as a DAG would."""

import json
import shutil
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from contract.manifest import Manifest, parse_manifest
from contract.recipe import Recipe
from contract.steps import Step, refresh_steps

BENCHMARKS = ("gsm8k_test.jsonl", "ifeval.jsonl", "mt_bench.jsonl")


def walk(recipe: Recipe, runner, store: Path, env=None, until: str = "publish", **runtime) -> dict[str, dict]:
    """Run every step up to and with `until`; returns each step's result. `runtime` overrides fields such as
    `shard_rows` where they exist."""
    env = {"NOCTURNE_STORE": str(store), "NOCTURNE_RECIPE": recipe.name} | (env or {})
    results: dict[str, dict] = {}
    for step in steps_until(recipe, until):
        fields = {name: value for name, value in runtime.items() if name in type(step.config).model_fields}
        config = step.config.model_dump(mode="json") | fields
        inputs = [(port, results[name]["uri"]) for port, names in step.inputs.items() for name in names]
        output = f"{store}/{recipe.name}/{step.stage.name}/"
        results[step.name] = runner(step.stage.image, step.stage.name, config, inputs, output, env).result
    return results


def steps_until(recipe: Recipe, last: str) -> list[Step]:
    """The steps up to and with one."""
    steps = refresh_steps(recipe)
    before = list(takewhile(lambda step: step.name != last, steps))
    return [*before, steps[len(before)]]


def manifest_of(result: dict) -> Manifest:
    """The manifest behind a result."""
    path = folder_of(result) / "manifest.json"
    return parse_manifest(path.read_bytes(), str(path))


def rows_of(result: dict, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows behind a result, in order."""
    for shard in manifest_of(result).shards:
        yield from pq.read_table(folder_of(result) / shard.path, columns=columns).to_pylist()


def folder_of(result: dict) -> Path:
    """Where a result lies."""
    return Path(result["uri"].removeprefix("file://"))


def put_articles(store: Path, articles: list[dict]) -> None:
    """Articles as the `llm_twin` recipe wants to find them."""
    path = store / "raw" / "articles" / "articles.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"artifact_data": articles}))


def put_benchmarks(store: Path, shared_data: Path) -> None:
    """The real benchmarks, where the `llm_twin` recipe names them."""
    folder = store / "raw" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    for name in BENCHMARKS:
        shutil.copyfile(shared_data / "benchmarks" / name, folder / name)
