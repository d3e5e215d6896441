"""What the command line asks for, checked: stage, config, parents, place, key.

Light imports only, since reuse is decided here.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.config.base import StageConfig, versioned
from contract.failures import BadConfig, BadInput
from contract.keys import dataset_key
from contract.manifest import MANIFEST, Manifest, Parent
from contract.problems import parse_config
from contract.records import Record
from contract.stage import Port, Stage
from contract.uris import Address
from stagekit.dataset import Dataset, open_dataset, released
from stagekit.gathering import source_parent
from stagekit.store import folder_of, resolve


@dataclass(frozen=True)
class Request:
    """One checked call of a stage."""

    stage: Stage
    config: StageConfig
    inputs: dict[str, list[Dataset]]
    parents: list[Parent]
    key: str
    address: Address

    @property
    def record(self) -> type[Record] | None:
        """The type of the rows it will write."""
        if self.stage.output == "same":
            return self.inputs[self.stage.inputs[0].name][0].record
        return self.stage.output


def build_request(stage: Stage, config_text: str, inputs: Sequence[str], output: str) -> Request:
    """Check everything that can be checked before work starts.

    Raises `BadConfig` for the command line and the config, `BadInput` for parents that are absent or of another kind.
    """
    config = parse_config(stage.config, _config_value(config_text), where=f"--config of {stage.name}")
    datasets = _open_inputs(stage, inputs)
    parents = [_parent(name, dataset) for name, items in datasets.items() for dataset in items]
    folder = folder_of(output)
    parents += [source_parent(stage.image, source, folder) for source in stage.sources(config)]
    hashes: dict[str, list[str]] = {}
    for parent in parents:
        hashes.setdefault(parent.input, []).append(parent.content_hash)
    key = dataset_key(stage.name, stage.version, versioned(config), hashes)
    return Request(stage, config, datasets, parents, key, _place(output, key))


def find_reusable(request: Request) -> Manifest | None:
    """The manifest already at the request's place, verified; None where the stage has to run.

    Raises `BadConfig` when something else is there, `DamagedData` when what is there is not whole.
    """
    found = open_dataset(request.address)
    if found is None:
        _refuse_foreign_folder(request.address)
        return None
    if found.manifest.key != request.key:
        raise BadConfig(
            f"another dataset is there already; {_drift(found.manifest, request)}",
            where=str(request.address),
            hint="choose another --output, or end it in / to let the key name the folder",
        )
    found.check_sizes()
    return found.manifest


def _config_value(text: str) -> Any:
    try:
        return json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text or "{}")
    except OSError as error:
        raise BadConfig(f"config file cannot be read: {error.strerror}", where=text[1:]) from None
    except (ValueError, RecursionError) as error:
        raise BadConfig(f"config is not JSON: {error}", where="--config") from None


def _open_inputs(stage: Stage, inputs: Sequence[str]) -> dict[str, list[Dataset]]:
    datasets: dict[str, list[Dataset]] = {}
    for item in inputs:
        name, equals, uri = item.partition("=")
        port = stage.port(name)
        if not equals or port is None:
            known = ", ".join(port.name for port in stage.inputs) or "no inputs"
            raise BadConfig(f"--input {item!r}", expected=f"NAME=URI with NAME one of {known}", where=stage.name)
        datasets.setdefault(name, []).append(_open_input(port, uri))
    for port in stage.inputs:
        _check_count(stage, port, len(datasets.get(port.name, [])))
    return datasets


def _check_count(stage: Stage, port: Port, count: int) -> None:
    if count == 0 and not (port.optional or port.many):
        raise BadConfig(f"--input {port.name}=URI is missing", expected=port.doc, where=stage.name)
    if count > 1 and not port.many:
        raise BadConfig(f"--input {port.name} given {count} times", expected="once", where=stage.name)


def _open_input(port: Port, uri: str) -> Dataset:
    dataset = open_dataset(released(resolve(uri)))
    if dataset is None:
        raise BadInput(
            f"no {MANIFEST}, so this is not a finished dataset", where=uri, hint="run the stage that makes it first"
        )
    if port.records and dataset.record not in port.records:
        names = " or ".join(record.__name__ for record in port.records)
        raise BadInput(f"rows of type {dataset.manifest.record}", expected=names, where=f"input {port.name}: {uri}")
    return dataset


def _parent(name: str, dataset: Dataset) -> Parent:
    return Parent(input=name, uri=dataset.uri, content_hash=dataset.manifest.content_hash, rows=dataset.rows)


def _place(output: str, key: str) -> Address:
    address = resolve(output)
    return address.child(key) if output.endswith("/") else address


def _refuse_foreign_folder(address: Address) -> None:
    """A local folder with something else in it is never written to, let alone replaced."""
    if address.scheme == "file" and os.path.isdir(address.path) and os.listdir(address.path):
        raise BadConfig(
            f"the folder is not empty and holds no {MANIFEST}",
            expected="a new or empty folder",
            where=address.path,
            hint="choose another --output, or delete the folder",
        )


def _drift(found: Manifest, request: Request) -> str:
    if found.stage != request.stage.name:
        return f"it was made by {found.stage}, not {request.stage.name}"
    wanted = request.config.model_dump(mode="json")
    fields = [name for name in wanted if found.config.get(name) != wanted[name]]
    parents = {parent.content_hash for parent in found.parents} ^ {parent.content_hash for parent in request.parents}
    reasons = [f"config differs in {', '.join(fields)}"] * bool(fields) + ["its inputs differ"] * bool(parents)
    return " and ".join(reasons) or f"it was made by version {found.stage_version} of {found.stage}"
