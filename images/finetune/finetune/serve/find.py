"""Which registered model is meant, and its files as one plain folder that any server can load."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.failures import BadInput
from finetune.tracking import ping, remote, tracking_uri

CURRENT = "current"
HASH = "nocturne.content_hash"


@dataclass(frozen=True)
class Registered:
    """One version of a registered model. `names` are those that clients may call it by."""

    name: str
    version: str
    alias: str
    content_hash: str

    @property
    def names(self) -> tuple[str, ...]:
        """The alias it was asked for by, the model's name, and name with version."""
        return tuple(name for name in (self.alias, self.name, f"{self.name}/{self.version}") if name)

    @property
    def folder_name(self) -> str:
        """A name that no other content ever gets, even when a registry is made anew and counts from 1 again."""
        return f"{self.name}-{self.version}-{self.content_hash[:12] or 'unknown'}"


def find_model(wanted: str) -> Registered:
    """The version that `champion`, `name@champion` or `name/3` names.

    Raises `BadInput` when there is none or several, naming what there is; `RemoteTrouble` when MLflow does not answer.
    """
    if not tracking_uri():
        raise BadInput("MLFLOW_TRACKING_URI is not set", expected="the registry's address", hint="or name a folder")
    ping()
    from mlflow import MlflowClient

    client = MlflowClient()
    with remote("read the model registry"):
        aliases = {model.name: dict(model.aliases) for model in client.search_registered_models()}
        name, version, alias = resolve(wanted, aliases)
        found = client.get_model_version(name, version)
    return Registered(name, version, alias, found.tags.get(HASH, ""))


def resolve(wanted: str, aliases: dict[str, dict[str, Any]]) -> tuple[str, str, str]:
    """Name, version and alias of a model; `aliases` holds those of each registered model, with their versions."""
    name, _, version = wanted.partition("/")
    if version:
        return name, version, ""
    name, at, alias = wanted.rpartition("@")
    having = [model for model in sorted(aliases) if alias in aliases[model] and name in ("", model)]
    if len(having) == 1:
        return having[0], str(aliases[having[0]][alias]), alias
    there = ", ".join(f"{model}@{alias}" for model in sorted(aliases) for alias in sorted(aliases[model]))
    raise BadInput(
        f"{len(having) or 'no'} registered model{'s' if having else ''} {'are' if having else 'is'} {wanted!r}",
        expected=f"one of {there or '(the registry is empty)'}",
        where=tracking_uri() or "",
        hint="name the model too" if having and not at else "run the fine-tuning first, or approve its model",
    )


def fetch(model: Registered, into: Path) -> Path:
    """The model's files in `into`, downloaded once; `into/current` points to the one fetched last.

    A folder appears when it is whole: a download that was killed leaves nothing that would be served.
    """
    final = into / model.folder_name
    if not final.is_dir():
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into, prefix=".fetching-") as scratch:
            lay_out(_download(f"models:/{model.name}/{model.version}", Path(scratch)), Path(scratch) / "whole")
            (Path(scratch) / "whole").rename(final)
    pointer = into / f".{CURRENT}"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(final.name)
    pointer.replace(into / CURRENT)
    return final


def lay_out(downloaded: Path, target: Path) -> None:
    """Turn MLflow's layout (`model/`, `components/tokenizer/`) into one folder as the Hub has it."""
    parts = [downloaded / "model", downloaded / "components" / "tokenizer"]
    if not (parts[0] / "config.json").is_file() or not parts[1].is_dir():
        raise BadInput("this registered model has no weights and tokenizer", where=str(downloaded))
    target.mkdir()
    beside = [path for path in (downloaded / "nocturne").glob("*") if path.is_file()]
    for path in [*(path for part in parts for path in sorted(part.iterdir())), *beside]:
        shutil.move(path, target / path.name)
    target.chmod(0o755)


def _download(uri: str, scratch: Path) -> Path:
    import mlflow

    with remote("hand out the model"):
        return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(scratch)))
