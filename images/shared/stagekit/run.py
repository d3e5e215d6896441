"""Run a stage and commit its dataset."""

import importlib
import importlib.util
import os
from contextlib import ExitStack
from datetime import UTC, datetime

from contract.config.base import SHARD_ROWS
from contract.manifest import Manifest
from stagekit.destination import Destination, destination
from stagekit.job import Job
from stagekit.output import Output
from stagekit.request import Request
from stagekit.schema import columns_of


def run_stage(request: Request) -> Manifest:
    """Import the stage, run it, write the manifest last. Returns the manifest now in place.

    A module `<image>.start`, where there is one, is imported before the stage and its libraries.
    """
    started = _now()
    if importlib.util.find_spec(f"{request.stage.image}.start"):
        importlib.import_module(f"{request.stage.image}.start")
    module = importlib.import_module(f"{request.stage.image}.{request.stage.name}.stage")
    with ExitStack() as at_the_end:  # the last that is noted here comes first
        place = destination(request.address)
        at_the_end.callback(place.discard)
        output = Output(place, request.record, getattr(request.config, "shard_rows", SHARD_ROWS))
        at_the_end.callback(output.abandon)
        _open_accounts(request, output)
        job = Job(request.stage, request.config, request.inputs, output, request.address, request.key, request.parents)
        module.run(job)
        manifest = _commit(request, output, place, started)
        _forget_scratch(job)
        return manifest


def _open_accounts(request: Request, output: Output) -> None:
    """Every row of an input must be accounted for, by stages that turn rows into rows."""
    if request.stage.output is None:
        return
    for port in request.stage.inputs:
        if port.records and port.name in request.inputs:
            output.books.open(port.name, sum(dataset.rows for dataset in request.inputs[port.name]))


def _commit(request: Request, output: Output, place: Destination, started: str) -> Manifest:
    shards, dropped_shards, content_hash = output.close()
    accounts = output.books.close()
    manifest = Manifest(
        stage=request.stage.name,
        stage_version=request.stage.version,
        key=request.key,
        recipe=os.environ.get("NOCTURNE_RECIPE"),
        config=request.config.model_dump(mode="json"),
        record=output.record.__name__ if output.record else None,
        columns=columns_of(output.schema),
        shards=shards,
        dropped_shards=dropped_shards,
        files=output.files,
        rows_in=next((account.total for account in accounts.values()), 0),
        rows_out=output.rows,
        accounts=accounts,
        rules=output.books.rules,
        metrics=output.metrics,
        links=output.links,
        parents=request.parents,
        content_hash=content_hash,
        image=os.environ.get("NOCTURNE_IMAGE"),
        code_version=os.environ.get("NOCTURNE_CODE_VERSION"),
        seed=getattr(request.config, "seed", 0),
        started=started,
        finished=_now(),
        cost=output.cost,
    )
    if place.commit(manifest.model_dump_json(indent=1).encode()):
        return manifest
    return _first_writers(request)


def _first_writers(request: Request) -> Manifest:
    """Another run of the same key finished first; its dataset is the dataset."""
    from stagekit.request import find_reusable

    manifest = find_reusable(request)
    assert manifest, "the store said that a manifest exists"
    return manifest


def _forget_scratch(job: Job) -> None:
    scratch = job.scratch()
    for entry in list(scratch.list()):
        scratch.delete(entry.name)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
