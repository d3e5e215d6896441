"""Walks a recipe's refresh from end to end through the stages' own command lines, as a DAG would."""

from pathlib import Path

from contract.manifest import Manifest, parse_manifest
from contract.recipe import Recipe
from contract.steps import refresh_steps


def walk(recipe: Recipe, runner, store: Path, env=None, **runtime) -> dict[str, dict]:
    """Run every step; returns each step's result. `runtime` overrides fields such as `shard_rows` where they exist."""
    env = {"NOCTURNE_STORE": str(store), "NOCTURNE_RECIPE": recipe.name} | (env or {})
    results: dict[str, dict] = {}
    for step in refresh_steps(recipe):
        fields = {name: value for name, value in runtime.items() if name in type(step.config).model_fields}
        config = step.config.model_dump(mode="json") | fields
        inputs = [(port, results[name]["uri"]) for port, names in step.inputs.items() for name in names]
        output = f"{store}/{recipe.name}/{step.stage.name}/"
        results[step.name] = runner(step.stage.image, step.stage.name, config, inputs, output, env).result
    return results


def manifest_of(result: dict) -> Manifest:
    """The manifest behind a result."""
    path = Path(result["uri"].removeprefix("file://")) / "manifest.json"
    return parse_manifest(path.read_bytes(), str(path))
