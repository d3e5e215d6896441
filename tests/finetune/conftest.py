"""A real MLflow server, a published dataset, and the whole way over it, each made once."""

import os
import re
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import ROOT, Runner
from mlflow_server import MlflowServer
from published import TRAIN, TRAINING, publish, real_samples


@dataclass(frozen=True)
class Walked:
    """Results of the five stages, by name, where they ran and with which environment."""

    folder: Path
    dataset: str
    env: dict[str, str]
    results: dict[str, dict]

    def inputs(self, *names: str) -> list[tuple[str, str]]:
        return [("samples", self.dataset), *((name, self.results[name]["uri"]) for name in names)]

    def file(self, stage: str, name: str) -> Path:
        return Path(self.results[stage]["uri"].removeprefix("file://")) / name


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory):
    """The URI of an MLflow server with its own database and artifact folder."""
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server.uri
    server.stop()


@pytest.fixture(scope="session")
def walked(tmp_path_factory, tracking_server) -> Walked:
    """plan, train, evaluate, export and register, one after the other."""
    folder = tmp_path_factory.mktemp("store")
    env = {
        "MLFLOW_TRACKING_URI": tracking_server,
        "NOCTURNE_CODE_VERSION": "abc123",
        "NOCTURNE_IMAGE": "finetune@sha256:1",
    }
    way = Walked(folder, publish(folder / "published", real_samples(120, 12)), env, {})
    run = Runner("process", folder)
    for stage, config, inputs in (
        ("plan", {"training": TRAINING}, ()),
        ("train", TRAIN, ("plan",)),
        ("evaluate", {"generations": 2, "max_new_tokens": 8}, ("train",)),
        ("export", {"dtype": "float32"}, ("train",)),
        ("register", {}, ("train", "evaluate", "export")),
    ):
        way.results[stage] = run("finetune", stage, config, way.inputs(*inputs), env=env).result
    return way


@dataclass(frozen=True)
class ServedChampion:
    """The champion behind HTTP, in a process of its own. `said` is what it logged before it was ready."""

    url: str
    said: str
    into: Path
    pid: int


@pytest.fixture(scope="session")
def served(walked, tmp_path_factory):
    """Served from the registry on a free port, and ended by Ctrl-C, to which jobs in the background are born deaf."""
    into = tmp_path_factory.mktemp("served")
    command = [ROOT / ".venv/finetune/bin/python", "-m", "finetune.serve", "--model", "demo@champion"]
    env = os.environ | walked.env | {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/finetune"}
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen([*command, "--into", into, "--port", "0"], env=env, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    lines: list[str] = []
    while not lines or " ready " not in lines[-1]:
        lines.append(process.stderr.readline())
        assert lines[-1], "".join(lines)
    url, said = re.search(r"url=(http://\S+)/v1", lines[-1])[1], "".join(lines)
    reader = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
    reader.start()
    yield ServedChampion(url, said, into, process.pid)
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
    reader.join()
    assert lines[-1].endswith("stopped\n")
    assert "Traceback" not in "".join(lines), "a request made a thread fail"
