"""choose: the training of a sweep with the lowest test loss; the stages after it go on with that one."""

import json

from contract.config.finetune import Training
from finetune.choose.sweep import Candidate, as_markdown, as_records, by_loss
from finetune.model import quiet
from finetune.tracking import find_run, ping, remote, tracking_uri
from finetune.trained import Trained
from finetune.winner import CHOICE
from stagekit.dataset import Dataset
from stagekit.job import Job


def run(job: Job) -> None:
    """Reads the trainings; writes the table, and which one is chosen, by content hash. Weights stay where they are."""
    quiet()
    ping()
    trainings = {dataset.manifest.content_hash: dataset for dataset in job.inputs["candidates"]}
    ranked = by_loss([_candidate(dataset) for dataset in trainings.values()])
    best = ranked[0]
    job.output.add_text(CHOICE, json.dumps({"content_hash": best.content_hash, "ranked": as_records(ranked)}, indent=1))
    job.output.add_text("sweep.md", as_markdown(ranked))
    job.output.metrics.update(learning_rate=best.learning_rate, eval_loss=best.eval_loss, candidates=len(ranked))
    job.log.info("chosen", extra={"fields": {"learning_rate": best.learning_rate, "test_loss": best.eval_loss}})
    _track(job, {name: Trained(dataset) for name, dataset in trainings.items()}, best, as_markdown(ranked))


def _candidate(dataset: Dataset) -> Candidate:
    metrics = dataset.manifest.metrics
    return Candidate(
        content_hash=dataset.manifest.content_hash,
        learning_rate=Training.model_validate(dataset.manifest.config["training"]).learning_rate,
        eval_loss=_number(metrics.get("eval_loss")),
        train_loss=_number(metrics.get("train_loss")),
        curves=str(metrics.get("curves", "")),
    )


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)


def _track(job: Job, trainings: dict[str, Trained], best: Candidate, table: str) -> None:
    """Tag every run of the sweep with whether it was chosen, and show the table in the chosen one."""
    if not tracking_uri():
        return
    for content_hash, trained in trainings.items():
        with remote("find a training's run"):
            found = find_run(trained.known_run())
        if found is None:
            continue
        chosen = content_hash == best.content_hash
        found.tags({"nocturne.sweep": "chosen" if chosen else "not chosen", "nocturne.sweep_key": job.key})
        if chosen:
            found.text(table, "sweep.md")
            job.output.links.update({"mlflow_run": found.url} if found.url else {})
