"""Samples to be judged, and running `judge` on them against a scripted judge."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contract.keys import digest
from contract.records import Message, Record, Sample
from curate_texts import write_dataset
from judge_server import JudgeServer
from llm_runs import QUICK, InProcess, Made, check_ledger

LENGTHS = (40, 90, 200, 410)


def sample(number: int, worth: int, length: int = 40, **more) -> Sample:
    """A sample whose answer says what it is worth and is about so many characters long."""
    messages = [
        Message(role="user", content=f"Question {number}?"),
        Message(role="assistant", content=f"Answer {number} [worth {worth}]{' and so on' * (length // 10)}"),
    ]
    return Sample(id=f"s{number:04}", messages=messages, **more)


def write_rows(folder: Path, rows: Iterable[Record], name: str) -> str:
    """A finished dataset of those rows; returns its path, the same for the same rows."""
    rows = list(rows)
    place = folder / f"{name}-{digest([row.model_dump() for row in rows])[:12]}"
    return str(place) if place.exists() else write_dataset(place, rows, type(rows[0]))


class Judging(Made):
    """A dataset that `judge` wrote."""

    @property
    def report(self) -> dict:
        return json.loads((self.folder / "judge.json").read_text())

    @property
    def page(self) -> str:
        return (self.folder / "judge.html").read_text()

    @property
    def folder(self) -> Path:
        return Path(self.ended.result["uri"].removeprefix("file://"))

    @property
    def verdicts(self) -> list[dict]:
        return [json.loads(line) for line in (self.folder / "judge/verdicts.jsonl").read_text().splitlines()]

    def scores(self, name: str = "helpful") -> dict[str, float | None]:
        return {row.id: row.scores.get(name) for row in self.samples}

    def account(self, name: str) -> dict:
        return self.manifest.accounts[name].model_dump()


@dataclass(frozen=True)
class Judge:
    """Runs the stage in this process on some rows; `gold` rows are written to a file first."""

    folder: Path
    server: JudgeServer

    def __call__(self, rows, name="made", inputs=(), gold=None, only=None, env=None, **config) -> Judging:
        runner = InProcess(self.folder)
        if gold is not None:
            path = self.folder / f"{name}-gold.jsonl"
            path.write_text("".join(json.dumps(row) + "\n" for row in gold))
            config["gold"] = {"uri": str(path)} | ({"only": only} if only else {})
        uri = rows if isinstance(rows, str) else write_rows(self.folder, rows, f"{name}-rows")
        settings = QUICK | {"base_url": self.server.url} | config
        environment = {"NOCTURNE_STORE": str(self.folder), "OPENAI_API_KEY": "sk-a-secret-for-tests"} | (env or {})
        ports = [("rows", uri), *inputs]
        return Judging(runner("generate", "judge", settings, ports, f"{self.folder}/{name}/", environment))


def check_judged(made: Judging) -> None:
    """Everything ended once, and each verdict that was given is in the file of verdicts with its score."""
    check_ledger(made)
    assert made.manifest.accounts["rows"].kept == len(made.samples) == made.manifest.rows_out
    given = sum(verdict["score"] is not None for verdict in made.verdicts)
    assert made.manifest.accounts["verdicts"].kept == given
    assert made.manifest.accounts["verdicts"].total == len(made.verdicts)
