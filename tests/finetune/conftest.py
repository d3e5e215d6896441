"""A real MLflow server, a published dataset, and the whole way over it, each made once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import Runner
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
