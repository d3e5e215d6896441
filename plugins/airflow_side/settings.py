"""Every setting of the Airflow side, read from the environment in this one place.

| variable | meaning | default |
|---|---|---|
| `NOCTURNE_RUNNER` | `process` (each stage in `.venv/<image>`) or `docker` (each stage in its image) | `process` |
| `NOCTURNE_HOME` | the project's folder, for the process runner | the folder above `plugins/` |
| `NOCTURNE_STORE` | where datasets live: `s3://bucket` or `file:///folder` | `<home>/.nocturne/store` |
| `NOCTURNE_CACHE` | where paid answers live, if not in the store | `<store>/cache` |
| `NOCTURNE_CODE_VERSION` | version of the code, kept in every manifest | unset |
| `MLFLOW_TRACKING_URI` | MLflow as the stages reach it | unset |
| `NOCTURNE_MLFLOW_UI` | MLflow as a browser reaches it | `MLFLOW_TRACKING_URI` |
| `NOCTURNE_GPU` | `1` gives GPU stages the GPUs and the pool `gpu`, which must exist | `0` |
| `NOCTURNE_DOCKER_URL` | the engine | `DOCKER_HOST`, or the local socket |
| `NOCTURNE_DOCKER_NETWORK` | network of the stages' containers | `bridge` |
| `NOCTURNE_IMAGE_TAG` | tag of `nocturne/<image>` | `local` |
| `NOCTURNE_SOURCES` | folders, parted by `:`, in which local sources may lie, beside the store | `/` |
| `NOCTURNE_KEY_SERVERS` | also get keys, beside those of recipes: `https://host`, parted by blanks | none |
| `NOCTURNE_HOST_STORE` | a local store's folder as the engine's host sees it, where that differs | the store's folder |
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.failures import BadConfig
from contract.uris import Address, parse_uri

PROJECT = Path(__file__).resolve().parents[2]
LOCAL_ENGINE = "unix://var/run/docker.sock"
RUNNERS = ("process", "docker")


@dataclass(frozen=True)
class Settings:
    """What the environment says."""

    runner: str
    home: Path
    store: Address
    cache: str
    code_version: str
    mlflow_uri: str
    mlflow_ui: str
    gpu: bool
    docker_url: str
    docker_network: str
    image_tag: str
    host_store: str
    sources: tuple[str, ...]
    key_servers: tuple[str, ...]


def read_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """The settings as they are now.

    Raises `BadConfig` for a runner that does not exist, a store that is no URI, or `NOCTURNE_GPU` other than 0 and 1.
    """
    home = Path(env.get("NOCTURNE_HOME") or PROJECT)
    store = parse_uri(env.get("NOCTURNE_STORE") or str(home / ".nocturne" / "store"))
    mlflow = env.get("MLFLOW_TRACKING_URI", "")
    return Settings(
        runner=_one_of(env, "NOCTURNE_RUNNER", RUNNERS),
        home=home,
        store=store,
        cache=env.get("NOCTURNE_CACHE", ""),
        code_version=env.get("NOCTURNE_CODE_VERSION", ""),
        mlflow_uri=mlflow,
        mlflow_ui=(env.get("NOCTURNE_MLFLOW_UI") or mlflow).rstrip("/"),
        gpu=_one_of(env, "NOCTURNE_GPU", ("0", "1")) == "1",
        docker_url=env.get("NOCTURNE_DOCKER_URL") or env.get("DOCKER_HOST") or LOCAL_ENGINE,
        docker_network=env.get("NOCTURNE_DOCKER_NETWORK") or "bridge",
        image_tag=env.get("NOCTURNE_IMAGE_TAG") or "local",
        host_store=env.get("NOCTURNE_HOST_STORE") or store.path,
        sources=tuple(os.path.realpath(folder) for folder in (env.get("NOCTURNE_SOURCES") or "/").split(":") if folder),
        key_servers=tuple(env.get("NOCTURNE_KEY_SERVERS", "").split()),
    )


def _one_of(env: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """The variable's value; the first allowed one where it is unset."""
    value = env.get(name) or allowed[0]
    if value not in allowed:
        raise BadConfig(f"{name} is {value!r}", expected=f"one of {', '.join(allowed)}", where="the environment")
    return value
