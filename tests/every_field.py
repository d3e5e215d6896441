"""Each config field, changed, changes a result: which fields there are, how a case is run, what counts as a result.

A result is read as lines of text: rows, ledger entries, accounts, metrics, costs, files, or the failure it ended in.
The key, the manifest's copy of the config and the ledger's thresholds are left out: they repeat the config.
"""

import copy
import json
import typing
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from contract.config.base import Config
from contract.failures import Failure
from contract.manifest import Manifest
from contract.stages import BY_NAME, STAGES, stages_of
from stagekit.dataset import Dataset, open_dataset
from stagekit.request import build_request
from stagekit.run import run_stage

SMALL_FILE = 300_000


@dataclass(frozen=True)
class Case:
    """`value` in the place of a base config's `field` (dotted; of a list the first item) brings or takes away a line
    of the result that holds `shows`. `data` names the inputs to run on."""

    field: str
    value: Any
    shows: str
    base: dict[str, Any] = field(default_factory=dict)
    data: str = ""

    @property
    def changed(self) -> dict[str, Any]:
        config = copy.deepcopy(self.base)
        *parents, last = self.field.split(".")
        place: Any = config
        for name in parents:
            place = place.setdefault(name, {})
            place = place[0] if isinstance(place, list) else place
        place[last] = self.value
        return config


@dataclass(frozen=True)
class Seen:
    """What a run leaves for others to see; it failed where it has no `content_hash`."""

    lines: frozenset[str]
    content_hash: str = ""
    uri: str = ""

    def with_lines(self, more: Iterable[str]) -> "Seen":
        return replace(self, lines=self.lines | frozenset(more))


def fields_of(model: type[Config]) -> list[str]:
    """Every leaf field, as a dotted path; through nested configs, lists of them and optional ones."""
    found: list[str] = []
    for name, info in model.model_fields.items():
        inner = _config_inside(info.annotation)
        found += [f"{name}.{leaf}" for leaf in fields_of(inner)] if inner else [name]
    return found


def is_runtime(model: type[Config], path: str) -> bool:
    """Whether a field may only change how a stage runs."""
    name, _, rest = path.partition(".")
    info = model.model_fields[name]
    inner = _config_inside(info.annotation)
    return is_runtime(inner, rest) if inner else bool((info.json_schema_extra or {}).get("runtime"))


def missing_cases(image: str, cases: dict[str, list[Case]]) -> dict[str, list[str]]:
    """Fields of an image's stages that no case changes, and cases of fields that are not there."""
    wanted = {stage.name: set(fields_of(stage.config)) for stage in stages_of(image)}
    there = {name: {case.field for case in some} for name, some in cases.items()}
    assert set(there) <= {stage.name for stage in STAGES}
    odd = {name: sorted(fields ^ there.get(name, set())) for name, fields in wanted.items()}
    return {name: fields for name, fields in odd.items() if fields}


def run(stage: str, config: dict[str, Any], inputs: Iterable[str], folder: Path) -> Seen:
    """One run of a stage in this process, and its result as lines."""
    try:
        request = build_request(BY_NAME[stage], json.dumps(config), list(inputs), f"{folder}/")
        run_stage(request)
    except Failure as failure:
        return Seen(frozenset([f"failure {type(failure).__name__}: {failure.sentence()}"]))
    dataset = open_dataset(request.address)
    assert dataset
    return Seen(frozenset(_lines(dataset)), dataset.manifest.content_hash, dataset.uri)


def check(stage: str, case: Case, before: Seen, after: Seen) -> None:
    """The field shows; and where it is a runtime field, it changes nothing else."""
    different = sorted(before.lines ^ after.lines)
    assert any(case.shows in line for line in different), "\n".join(line[:300] for line in different) or "no difference"
    if is_runtime(BY_NAME[stage].config, case.field) and before.content_hash and after.content_hash:
        assert before.content_hash == after.content_hash


def _config_inside(annotation: Any) -> type[Config] | None:
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := _config_inside(part))), None)


def _lines(dataset: Dataset) -> Iterator[str]:
    manifest = dataset.manifest
    for row in (row for batch in dataset.batches() for row in batch.to_pylist()):
        yield f"row {json.dumps(row, ensure_ascii=False)}"
    for entry in dataset.ledger():
        yield f"ledger {json.dumps(entry.model_dump(exclude={'threshold', 'row'}), ensure_ascii=False)}"
    yield from _figures(manifest)
    for file in manifest.files:
        if file.hashed:
            yield f"file {file.path} {file.sha256[:16]}"
            yield from _text(dataset.file(file.path), file.path)


def _figures(manifest: Manifest) -> Iterator[str]:
    for name, account in manifest.accounts.items():
        yield f"account {name} {account.model_dump_json()}"
    for name, value in (manifest.metrics | (manifest.cost.model_dump() if manifest.cost else {})).items():
        yield f"figure {name} {value}"
    yield f"shards {len(manifest.shards)} and {len(manifest.dropped_shards)}"


def _text(path: Path, name: str) -> Iterator[str]:
    if path.stat().st_size > SMALL_FILE:
        return
    try:
        counted = Counter(path.read_text(encoding="utf-8").splitlines())
    except UnicodeDecodeError:
        return
    yield from (f"{name} ({count} times): {line}" for line, count in counted.items())
