"""Samples to be judged, and running `judge` on them against a scripted judge."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from contract.keys import digest
from contract.manifest import MANIFEST, Account, Manifest
from contract.records import Message, Record, Sample
from contract.uris import parse_uri
from judge_server import JudgeServer
from llm_runs import QUICK, InProcess, Made
from stagekit.destination import destination
from stagekit.output import Output
from stagekit.schema import columns_of

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
    record = type(rows[0])
    key = digest([row.model_dump() for row in rows])
    address = parse_uri(str(folder / f"{name}-{key[:12]}"))
    if (Path(address.path) / MANIFEST).exists():
        return address.path
    place = destination(address)
    output = Output(place, record, 50_000)
    output.books.open("rows", len(rows))
    output.write(rows, account="rows")
    shards, dropped, content_hash = output.close()
    now = datetime.now(UTC).isoformat()
    manifest = Manifest(
        stage="made",
        stage_version=1,
        key=key,
        config={},
        record=record.__name__,
        columns=columns_of(output.schema),
        shards=shards,
        dropped_shards=dropped,
        files=output.files,
        rows_in=len(rows),
        rows_out=len(rows),
        accounts={"rows": Account(total=len(rows), kept=len(rows))},
        content_hash=content_hash,
        started=now,
        finished=now,
    )
    assert place.commit(manifest.model_dump_json().encode())
    place.discard()
    return address.path


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


def check_books(made: Judging) -> None:
    """Every row, verdict, request and gold row ends once; the ledger has one entry for each that went no further."""
    entries = Counter((entry.account, entry.status, entry.rule) for entry in made.ledger)
    booked = Counter()
    for name, account in made.manifest.accounts.items():
        for status in ("dropped", "failed", "skipped"):
            booked.update({(name, status, rule): n for rule, n in getattr(account, status).items()})
    assert entries == booked
    rows = made.manifest.accounts["rows"]
    assert rows.kept == len(made.samples) == made.manifest.rows_out
    given = sum(verdict["score"] is not None for verdict in made.verdicts)
    assert made.manifest.accounts["verdicts"].kept == given
    assert made.manifest.accounts["verdicts"].total == len(made.verdicts)
