"""Running `instruct` against a server, and reading back what it made."""

import hashlib
import io
import json
import os
import subprocess
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

from conftest import Ended, Runner
from contract.manifest import Manifest, parse_manifest
from contract.records import LedgerEntry, Sample
from contract.uris import parse_uri
from llm_server import LlmServer
from stagekit.dataset import open_dataset
from stagekit.entry import main

PRICE = {"prompt": 0.15, "completion": 0.6}
QUICK = {"backoff": 0.02, "price": PRICE, "concurrency": 8}


@dataclass(frozen=True)
class Made:
    """A dataset that `instruct` wrote, or how it failed."""

    ended: Ended

    @cached_property
    def manifest(self) -> Manifest:
        path = Path(self.ended.result["uri"].removeprefix("file://")) / "manifest.json"
        return parse_manifest(path.read_bytes(), str(path))

    @cached_property
    def samples(self) -> list[Sample]:
        return list(self._dataset.records(Sample))

    @cached_property
    def ledger(self) -> list[LedgerEntry]:
        return list(self._dataset.ledger())

    @property
    def _dataset(self):
        return open_dataset(parse_uri(self.ended.result["uri"]))

    @property
    def hash(self) -> str:
        return self.ended.result["content_hash"]


@dataclass(frozen=True)
class InProcess:
    """Runs a stage's command line in this process: the same call, the same answer, without a second and a half of
    imports each time."""

    folder: Path

    def __call__(self, image, stage, config=None, inputs=(), output=None, env=None) -> Ended:
        ports = [part for port, uri in inputs for part in ("--input", f"{port}={uri}")]
        arguments = [
            stage,
            "--config",
            json.dumps(config or {}),
            *ports,
            "--output",
            output or f"{self.folder}/{stage}/",
        ]
        out, err = io.StringIO(), io.StringIO()
        with patch.dict(os.environ, env or {}), redirect_stdout(out), redirect_stderr(err):
            code = main(image, arguments)
        return Ended(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Instruct:
    """Runs the stage in one store; the cache of answers lies in `<store>/cache`, datasets in `<store>/<name>`."""

    runner: Runner | InProcess
    chunks: str
    server: LlmServer | None = None

    def __call__(self, name: str = "made", env: dict[str, str] | None = None, **config) -> Made:
        """Run to the end; `name` is the folder, so that another one makes the same dataset anew."""
        return Made(self.runner("generate", "instruct", *self._arguments(name, config), env=self._env(env)))

    def start(self, name: str = "made", **config) -> subprocess.Popen:
        """Start it and come back at once."""
        settings, inputs, output = self._arguments(name, config)
        ports = [part for port, uri in inputs for part in ("--input", f"{port}={uri}")]
        command = [*self.runner._python("generate", {}), "instruct", "--config", json.dumps(settings), *ports]
        env = self.runner._env("generate", self._env(None))
        return subprocess.Popen([*command, "--output", output], env=env, stderr=subprocess.PIPE, text=True)

    def on(self, chunks: str) -> "Instruct":
        """The same with other chunks."""
        return Instruct(self.runner, chunks, self.server)

    def cached(self) -> set[str]:
        """What has been answered and kept, by the server's own name for a question."""
        return {
            question_name(json.loads(path.read_bytes())["question"]["messages"])
            for path in (self.runner.folder / "cache" / "llm").rglob("*.json")
        }

    def _arguments(self, name, config):
        settings = (QUICK | {"provider": "openai", "base_url": self.server.url} if self.server else {}) | config
        return settings, [("chunks", self.chunks)] if self.chunks else [], f"{self.runner.folder}/{name}/"

    def _env(self, env):
        return {"NOCTURNE_STORE": str(self.runner.folder), "OPENAI_API_KEY": "sk-a-secret-for-tests"} | (env or {})


def question_name(messages: list[dict[str, str]]) -> str:
    """How the server names a question."""
    return hashlib.sha256(json.dumps(messages).encode()).hexdigest()


def check_ledger(made: Made) -> None:
    """Whatever is in an account ended once, and the ledger holds one entry for each that went no further."""
    entries = Counter((entry.account, entry.status, entry.rule) for entry in made.ledger)
    booked = Counter[tuple[str, str, str]]()
    for name, account in made.manifest.accounts.items():
        assert account.accounted == account.total, name
        for status in ("dropped", "failed", "skipped"):
            booked.update({(name, status, rule): number for rule, number in getattr(account, status).items()})
    assert entries == booked


def check_books(made: Made, asked: int) -> None:
    """Everything ended once, and the pairs that were kept are the dataset."""
    check_ledger(made)
    accounts = made.manifest.accounts
    assert accounts["chunks"].total == asked
    assert len(made.samples) == accounts["pairs"].kept == made.manifest.rows_out
    assert len({sample.id for sample in made.samples}) == len(made.samples)
