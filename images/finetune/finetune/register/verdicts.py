"""A judge's comparison in the training's run, beside what `evaluate` found; the image that judges knows no MLflow."""

from collections.abc import Mapping

from finetune.judged import JUDGE, PAGE, VERDICTS, Judged, spent
from finetune.tracking import find_run, remote
from finetune.trained import Trained
from stagekit.job import Job

FOLDER = "evaluate"
"""Where the run keeps the comparison that this belongs to."""


def track(job: Job, judged: Judged, files: Mapping[str, str]) -> None:
    """Log figures, table, picture, the judge's own page, and every verdict with its reasons."""
    with remote("find the training's run"):
        run = find_run(Trained(job.input("train")).known_run())
    if run is None:
        job.log.warning("the training's run is not on this tracking server: the judge's part is not logged there")
        return
    dataset = job.input(JUDGE)
    run.metrics({f"{FOLDER}/{name}": value for name, value in (judged.metrics() | spent(dataset)).items()})
    for name in (PAGE, VERDICTS):
        run.text(dataset.file(name).read_text(encoding="utf-8"), f"{FOLDER}/{name}")
    for name, text in files.items():
        run.text(text, f"{FOLDER}/{name}")
