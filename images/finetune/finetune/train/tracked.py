"""The training's one run in MLflow: opened, or taken up again, and described."""

import json
import os

from contract.failures import RemoteTrouble
from finetune.tracking import UNTRACKED, Run, open_run
from finetune.train.outbox import Outbox
from stagekit.job import Job

RUN_FILE = "mlflow_run.json"
RETRIES, TIMEOUT = "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"


def open_outbox(job: Job) -> Outbox | None:
    """The way to the run that a killed try began, or else to a new one; None where nothing is tracked.

    Raises `RemoteTrouble` when there is no run yet and the server does not answer: nothing has been computed by then.
    """
    os.environ.setdefault(RETRIES, "1")  # MLflow's own patience would hold up the training; ours is the outbox
    os.environ.setdefault(TIMEOUT, "10")
    run = _open_run(job)
    if run is None:
        job.log.info(UNTRACKED)
        return None
    job.scratch().write(RUN_FILE, run.as_json().encode())
    tracked = Outbox(run, job.scratch(), job.log)
    _describe(job, tracked)
    return tracked


def _open_run(job: Job) -> Run | None:
    samples = job.input("samples").manifest
    data = job.scratch().read(RUN_FILE)
    known = data.decode() if data else None
    name = f"{samples.recipe or 'train'}-{job.key[:8]}"
    try:
        return open_run(samples.recipe or "nocturne", name, known)
    except RemoteTrouble:
        if known is None:
            raise
        return Run(**json.loads(known))


def _describe(job: Job, tracked: Outbox) -> None:
    """Parameters, dataset, lineage, and the template with its mask."""
    samples, plan = job.input("samples"), job.input("plan")
    settings = job.config.model_dump(exclude={"training"}) | job.config.training.model_dump()
    lora = {f"lora.{name}": value for name, value in settings.pop("lora").items()}
    tracked.params(settings | (lora if job.config.training.method != "full" else {}))
    tracked.tags(
        {
            "nocturne.dataset": samples.manifest.content_hash,
            "nocturne.dataset_uri": samples.uri,
            "nocturne.recipe": samples.manifest.recipe,
            "nocturne.key": job.key,
            "nocturne.image": os.environ.get("NOCTURNE_IMAGE"),
            "nocturne.code_version": os.environ.get("NOCTURNE_CODE_VERSION"),
        }
    )
    tracked.dataset(samples.manifest.recipe or "samples", samples.uri, samples.manifest.content_hash, samples.rows)
    for name in ("plan.json", "template.html", "template.txt"):
        tracked.text(plan.file(name).read_text(encoding="utf-8"), f"plan/{name}")
