"""register: a version of the model in MLflow, with all it was made from."""

import json

from finetune.judged import JUDGE, Gate, Judged, read_judged
from finetune.judged_page import as_markdown
from finetune.judged_picture import draw_judged
from finetune.model import quiet
from finetune.register.conclude import entry_of, gate_among
from finetune.register.registry import ensure_registered
from finetune.register.verdicts import track
from finetune.tracking import ping, tracking_uri
from stagekit.job import Job


def run(job: Job) -> None:
    """Reads export and evaluation, and a judge's comparison where there is one; registers, and writes what was
    registered and how the judge's part reads (`judge.md`, `judge.svg`). The version number is MLflow's, so it is a
    figure of the manifest and not of the hashed content.
    """
    quiet()
    inputs = {name: datasets[0] for name, datasets in job.inputs.items()}
    gate, judged = gate_among(job.config, inputs), read_judged(inputs.get(JUDGE))
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
    files = _judged_files(judged, gate)
    for name, text in files.items():
        job.output.add_text(name, text)
    _tell(job, gate, judged)
    if not tracking_uri():
        job.log.warning("MLFLOW_TRACKING_URI is not set: nothing is registered; run again with it set to register")
        return
    ping()
    if judged:
        track(job, judged, files)
    version = ensure_registered(entry)
    job.output.metrics.update(model=entry.name, version=int(version), champion=str(entry.champion).lower())
    uri = tracking_uri() or ""
    if uri.startswith("http"):
        job.output.links["mlflow_model"] = f"{uri.rstrip('/')}/#/models/{entry.name}/versions/{version}"


def _judged_files(judged: Judged | None, gate: Gate) -> dict[str, str]:
    return {"judge.md": as_markdown(judged, gate), "judge.svg": draw_judged(judged)} if judged else {}


def _tell(job: Job, gate: Gate, judged: Judged | None) -> None:
    """The gate's last word, and the judge's, as figures and in the log."""
    job.output.metrics["gate"] = str(gate)
    job.log.info("gate", extra={"fields": {"is": str(gate), "why": "; ".join(gate.reasons) or "nothing against it"}})
    if judged:
        job.output.metrics |= {"judged": judged.sentence, **judged.metrics()}


def _stable(tags: dict[str, str]) -> dict[str, str]:
    """Tags that follow from the inputs' content alone."""
    outside = ("nocturne.images", "nocturne.code_version", "nocturne.train_run", "nocturne.recipe")
    return {name: value for name, value in tags.items() if name not in outside}
