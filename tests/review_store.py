"""A store that real stages fill from articles up to drawn samples, and again after people have decided."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from contract.recipe import Recipe
from contract.steps import refresh_steps

ROOT = Path(__file__).resolve().parent.parent
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
KINDS = ("lighthouse", "windmill", "aqueduct", "observatory", "drawbridge", "granary", "foundry", "orchard")
PLAIN = {
    "name": "sea",
    "filter": None,
    "deduplicate": None,
    "decontaminate": None,
    "chunk": {"minimum": 100, "maximum": 700},
    "instruct": {"provider": "extractive", "pairs": 1},
    "select": {"filter": None, "deduplicate": None},
}


@dataclass
class ReviewStore:
    """The store of one recipe, `sea`, whose review is on and whose decisions nobody has said where to look for."""

    folder: Path
    review: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        raw = self.folder / "raw" / "sea"
        raw.mkdir(parents=True)
        rows = [{"id": f"{kind}{EVIL}", "title": f"The {kind} {EVIL}", "text": _article(kind)} for kind in KINDS]
        (raw / "articles.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    @property
    def recipe(self) -> Recipe:
        sources = [{"uri": "raw/sea", "fields": {"id": "id", "title": "title"}}]
        return Recipe.model_validate(PLAIN | {"ingest": {"sources": sources}, "review": self.review})

    def refresh(self) -> dict[str, dict]:
        """Run every step up to and with `review`; each one's result."""
        steps = refresh_steps(self.recipe)
        before = list(takewhile(lambda step: step.name != "review", steps))
        results: dict[str, dict] = {}
        for step in [*before, steps[len(before)]]:
            inputs = [f"{port}={results[name]['uri']}" for port, names in step.inputs.items() for name in names]
            results[step.name] = self.run(step.stage.image, step.stage.name, step.config.model_dump_json(), inputs)
        return results

    def run(self, image: str, stage: str, config: str, inputs: list[str]) -> dict[str, Any]:
        images = ROOT / "images"
        env = os.environ | {
            "PYTHONPATH": f"{images / 'shared'}:{images / image}",
            "NOCTURNE_STORE": f"file://{self.folder}",
            "NOCTURNE_RECIPE": "sea",
        }
        command = [str(ROOT / ".venv" / image / "bin" / "python"), "-m", image, stage, "--config", config]
        command += [part for each in inputs for part in ("--input", each)]
        command += ["--output", f"{self.folder}/sea/{stage}/"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def drawn(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        """The samples that a review drew."""
        text = (Path(result["uri"].removeprefix("file://")) / "review" / "sample.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def manifest(self, result: dict[str, Any]) -> dict[str, Any]:
        return json.loads((Path(result["uri"].removeprefix("file://")) / "manifest.json").read_text())

    def decisions(self) -> list[dict[str, Any]]:
        """What lies in the store's folder of decisions."""
        folder = self.folder / "sea" / "decisions"
        return [json.loads(path.read_text()) for path in sorted(folder.glob("*"))] if folder.is_dir() else []


def _article(kind: str) -> str:
    said = f"The old {kind} stands above the harbour and was built by the sailors of the village long ago. "
    return f"{said}Every night the keeper of the {kind} writes {EVIL} into a long and careful list of ships. " * 3
