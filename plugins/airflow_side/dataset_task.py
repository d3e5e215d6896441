"""The first task of fine-tuning: which published version to train on."""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Asset, Param, XComArg, get_current_context, task

from airflow_side.catalog import open_catalog
from airflow_side.outcome import failures_for_airflow
from contract.failures import BadInput
from contract.steps import DATASET
from contract.uris import LATEST

PARAM = Param(
    LATEST,
    type="string",
    minLength=1,
    title="dataset",
    description="Version to train on: `latest`, a version's number, or a dataset's URI. A run that a new version "
    "has started trains on that version.",
)


def dataset_task(recipe: str, asset: Asset) -> XComArg:
    """A task that returns `{uri, content_hash, rows}` of the version to train on."""

    @task(task_id=DATASET, doc_md="Finds the version to train on: the one that started this run, or the one asked for.")
    def dataset() -> dict[str, Any]:
        context = get_current_context()
        event = _event(context["triggering_asset_events"], asset)
        with failures_for_airflow("fail"):
            return choose_dataset(recipe, context["params"][DATASET], event)

    return dataset()


def choose_dataset(recipe: str, wanted: str, event: Mapping[str, Any] | None) -> dict[str, Any]:
    """The version of the event that started the run, unless another one is asked for by name.

    Raises `BadInput` when there is none, naming what was looked for and where.
    """
    if wanted == LATEST and event:
        return {name: event[name] for name in ("uri", "content_hash", "rows")}
    catalog = open_catalog()
    if "/" in wanted:
        uri, manifest = wanted, catalog.manifest_at(wanted)
        if manifest is None:
            raise BadInput("there is no finished dataset", where=wanted, hint="give the URI of a folder of `publish`")
        return {"uri": uri, "content_hash": manifest.content_hash, "rows": manifest.rows_out}
    release = catalog.release(recipe, wanted)
    if release is None:
        raise BadInput(
            f"dataset {recipe} has no version {wanted!r}", where=str(catalog.root), hint=f"run refresh_{recipe} first"
        )
    uri = str(catalog.root.child(recipe, "publish", release.key))
    return {"uri": uri, "content_hash": release.content_hash, "rows": release.rows}


def _event(events: Mapping[Any, Any], asset: Asset) -> Mapping[str, Any] | None:
    """What the newest event says that started this run; nothing for a run by hand."""
    found = events.get(asset) or ()
    extras = [event.extra for event in found if event.extra.get("uri")]
    return extras[-1] if extras else None
