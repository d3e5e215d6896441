"""Serving a registered model on this machine: fetched from the demo's registry, or from the one that is named."""

import os
from collections.abc import Mapping
from pathlib import Path

from embedded.console import Console
from embedded.services import Running, ServiceFailed
from embedded.settings import ROOT, Home, choose_ports
from embedded.stack import mlflow_service

TRACKING = "MLFLOW_TRACKING_URI"
THROUGH_THE_STORE = "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD"


def serve(home: Home, model: str, port: int, console: Console) -> None:
    """Fetch the model, then become its server; does not return unless something fails.

    The registry is the one that `MLFLOW_TRACKING_URI` names; without it, the demo's MLflow is started for as long as
    fetching takes. Raises `ServiceFailed` when there is no registry or no such model.
    """
    environment = environment_of(os.environ)
    if Path(model).is_dir():
        become(command(model, "", port), environment)
    if os.environ.get(TRACKING):
        fetch(home, model, environment)
    else:
        fetch_from_the_demo(home, model, environment, console)
    become(command(str(served(home) / "current"), model, port), environment)


def served(home: Home) -> Path:
    """Where fetched models are kept."""
    return home.path / "served"


def fetch_from_the_demo(home: Home, model: str, environment: dict[str, str], console: Console) -> None:
    """Start the demo's MLflow alone, beside whatever else may run, and fetch from it."""
    if not (home.mlflow / "mlflow.db").is_file():
        raise ServiceFailed(f"There is no model registry in {home.mlflow}: run make demo first, or set {TRACKING}.")
    ports = choose_ports()
    services = Running(home.path / "serving.json")
    try:
        console.status("Starting MLflow to fetch the model")
        services.start(mlflow_service(home, ports))
        services.wait_ready("mlflow")
        fetch(home, model, environment | {TRACKING: ports.mlflow_url})
    finally:
        services.stop()


def fetch(home: Home, model: str, environment: dict[str, str]) -> None:
    """Put the model's files below `served`. Raises `ServiceFailed` when that ends badly; it has said why."""
    arguments = [*python(), "--model", model, "--into", str(served(home)), "--fetch"]
    if code := os.spawnve(os.P_WAIT, arguments[0], arguments, environment):
        raise ServiceFailed(f"The model {model!r} cannot be fetched (exit code {code}).")


def command(folder: str, name: str, port: int) -> list[str]:
    """The server's own command line."""
    return [*python(), "--model", folder, *(["--name", name] if name else []), "--port", str(port)]


def python() -> list[str]:
    """The program, in the environment that has torch."""
    return [str(ROOT / ".venv" / "finetune" / "bin" / "python"), "-m", "finetune.serve"]


def become(arguments: list[str], environment: dict[str, str]) -> None:
    """Go on as the server, so that Ctrl-C and signals reach it and nothing else."""
    os.execve(arguments[0], arguments, environment)


def environment_of(inherited: Mapping[str, str]) -> dict[str, str]:
    """The server's environment: where its code is, and that files come from MLflow itself unless somebody said so.

    MLflow sends clients to its object store by the address at which it knows that one, `s3:9000` in the compose stack,
    where nothing outside the stack finds it.
    """
    paths = os.pathsep.join(str(ROOT / "images" / name) for name in ("shared", "finetune"))
    return {THROUGH_THE_STORE: "false", **inherited, "PYTHONPATH": paths}
