"""register: a version of the model in MLflow, with all it was made from."""

import json

from finetune.model import quiet
from finetune.register.conclude import entry_of
from finetune.register.registry import ensure_registered
from finetune.tracking import ping, tracking_uri
from stagekit.job import Job


def run(job: Job) -> None:
    """Reads export and evaluation; registers, and writes what was registered. The version number is MLflow's, so it is
    a figure of the manifest and not of the hashed content.
    """
    quiet()
    inputs = {name: datasets[0] for name, datasets in job.inputs.items()}
    entry = entry_of(job.config, inputs)
    record = {
        "model": entry.name,
        "champion": entry.champion,
        "approved_by": entry.approved_by,
        "tags": _stable(entry.tags),
    }
    if job.config.hub:
        record |= {"hub": job.config.hub, "hub_private": job.config.hub_private}
    job.output.add_text("registration.json", json.dumps(record, indent=1, sort_keys=True))
    if not tracking_uri():
        job.log.warning("MLFLOW_TRACKING_URI is not set: nothing is registered; run again with it set to register")
        return
    ping()
    version = ensure_registered(entry)
    job.output.metrics.update(model=entry.name, version=int(version), champion=str(entry.champion).lower())
    uri = tracking_uri() or ""
    if uri.startswith("http"):
        job.output.links["mlflow_model"] = f"{uri.rstrip('/')}/#/models/{entry.name}/versions/{version}"


def _stable(tags: dict[str, str]) -> dict[str, str]:
    """Tags that follow from the inputs' content alone."""
    outside = ("nocturne.images", "nocturne.code_version", "nocturne.train_run", "nocturne.recipe")
    return {name: value for name, value in tags.items() if name not in outside}
