"""Running `evolve` against a scripted server, and reading back what it made."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.records import Sample
from curate_texts import write_dataset
from llm_runs import QUICK, InProcess, Made, check_ledger
from scripted_llm import ScriptedServer


@dataclass(frozen=True)
class Evolve:
    """Runs the stage in one store, in this process."""

    folder: Path
    server: ScriptedServer

    def __call__(self, rows: list[Sample], name: str = "made", **config: Any) -> Made:
        uri = self.folder / "rows" / name
        if not uri.exists():
            write_dataset(uri, rows, Sample, stage="instruct")
        settings = QUICK | {"base_url": self.server.url, "shard_rows": 1_000} | config
        env = {"NOCTURNE_STORE": str(self.folder), "OPENAI_API_KEY": "sk-a-secret-for-tests"}
        runner = InProcess(self.folder)
        return Made(runner("generate", "evolve", settings, [("rows", str(uri))], f"{self.folder}/{name}/", env))

    def endpoint(self, model: str) -> dict[str, Any]:
        """A model of the same server."""
        return {"model": model, "base_url": self.server.url}


def file_of(made: Made, name: str) -> Path:
    """A file of the dataset."""
    return Path(made.ended.result["uri"].removeprefix("file://")) / name


def preferences_of(made: Made) -> list[dict[str, Any]]:
    """The preferences that were written."""
    return [json.loads(line) for line in file_of(made, "preferences.jsonl").read_text().splitlines()]


def check_evolved(made: Made, rows: int) -> None:
    """Everything ended once, and what is in the dataset are the rows and evolutions that were kept."""
    check_ledger(made)
    accounts = made.manifest.accounts
    assert accounts["rows"].total == rows
    assert made.manifest.rows_out == accounts["rows"].kept + accounts["evolutions"].kept == len(made.samples)
    assert len({sample.id for sample in made.samples}) == len(made.samples)
