"""A real MLflow server, a published dataset, and the whole way over it, each made once."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import ROOT, Runner
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


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory):
    """The URI of an MLflow server with its own database and artifact folder."""
    folder, port = tmp_path_factory.mktemp("mlflow"), _free_port()
    uri = f"http://127.0.0.1:{port}"
    command = [ROOT / ".venv/finetune/bin/python", "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        f"{folder}/artifacts",
    ]
    quiet = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # ten processes that nothing here needs
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--workers", "1"], stdout=log, stderr=log, env=quiet, start_new_session=True
        )
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{uri}/health", timeout=1):
                break
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.5)
    yield uri
    os.killpg(server.pid, 15)
    server.wait(timeout=30)


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
