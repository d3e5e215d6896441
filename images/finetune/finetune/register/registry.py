"""The model registry: one version for each exported model, however often it is registered.

What is here outlives no tracking server, so it is checked again whenever the dataset of `register` is reused.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contract.failures import BadInput
from finetune.register.lineage import CONTENT_HASH
from finetune.tracking import remote

CHALLENGER, CHAMPION = "challenger", "champion"
ALIASED = "nocturne.aliased"
"""Set on a version after its aliases: a kill in between must not leave a version that never became challenger."""
APPROVED_BY = "nocturne.approved_by"


@dataclass(frozen=True)
class Entry:
    """What is to be registered. `upload` stores the model and returns its MLflow URI; it is asked only if need be, like
    `describe` for the Markdown on the version's page. `approved_by` names the person, if any, by whose word it is
    champion."""

    name: str
    tags: dict[str, str]
    champion: bool
    upload: Callable[[], str]
    describe: Callable[[], str]
    approved_by: str = ""
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("nocturne"))


def ensure_registered(entry: Entry) -> str:
    """The version of this very export, made if the registry has none; returns its number.

    Aliases move only when a version is new, so that registering an old model again takes nothing from a newer one, or
    when a person has just said so.
    """
    from mlflow import MlflowClient

    client = MlflowClient()
    with remote("register the model"):
        version = find_version(client, entry.name, entry.tags[CONTENT_HASH])
        if version is None:
            version = _create(client, entry)
            entry.log.info("registered", extra={"fields": {"model": entry.name, "version": version.version}})
        if ALIASED not in version.tags:
            _set_aliases(client, entry, str(version.version))
        elif entry.approved_by:
            _promote(client, entry, str(version.version))
    return str(version.version)


def find_version(client: Any, name: str, content_hash: str) -> Any | None:
    """The oldest version of a model that was made from this export."""
    if not re.fullmatch(r"[0-9a-f]+", content_hash):
        raise BadInput(f"content hash {content_hash!r}", expected="hexadecimal digits")
    quoted = name.replace("'", "''")
    found = client.search_model_versions(f"name='{quoted}' and tags.`{CONTENT_HASH}`='{content_hash}'")
    return min(found, key=lambda version: int(version.version), default=None)


def _create(client: Any, entry: Entry) -> Any:
    import mlflow

    made = mlflow.register_model(entry.upload(), entry.name, tags=entry.tags)
    first = find_version(client, entry.name, entry.tags[CONTENT_HASH]) or made
    if int(first.version) < int(made.version):  # another run registered the same model meanwhile
        client.delete_model_version(entry.name, made.version)
    client.update_model_version(entry.name, first.version, description=entry.describe())
    return first


def _set_aliases(client: Any, entry: Entry, version: str) -> None:
    client.set_registered_model_alias(entry.name, CHALLENGER, version)
    if entry.champion:
        _promote(client, entry, version)
    client.set_model_version_tag(entry.name, version, ALIASED, CHAMPION if entry.champion else CHALLENGER)


def _promote(client: Any, entry: Entry, version: str) -> None:
    """Move `champion` and say from which version, and by whose word; that stays on the version as a tag."""
    before = client.get_registered_model(entry.name).aliases.get(CHAMPION)
    if entry.approved_by:
        client.set_model_version_tag(entry.name, version, APPROVED_BY, entry.approved_by)
    client.set_registered_model_alias(entry.name, CHAMPION, version)
    fields = {"model": entry.name, "version": version, "before": before, "by": entry.approved_by or "the gate"}
    entry.log.info("champion", extra={"fields": fields})
