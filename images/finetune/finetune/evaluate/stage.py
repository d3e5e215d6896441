"""evaluate: base, prompted base and tuned model on the same test split, through the same template."""

import gc
from collections.abc import Mapping, Sequence
from typing import Any

from finetune.data import Row, read_splits
from finetune.evaluate.answer_rows import answer_rows
from finetune.evaluate.comparison import BASE, PROMPTED, TUNED, Comparison, Forgetting, compare
from finetune.evaluate.general import general_rows
from finetune.evaluate.measure import Measured, measure
from finetune.evaluate.page import as_html
from finetune.evaluate.picture import draw
from finetune.evaluate.report import as_json, as_markdown
from finetune.evaluate.tasks import Tasks, make_tasks
from finetune.loss import Loss, mean_loss
from finetune.model import pick_device, quiet, working_dtype
from finetune.tracking import UNTRACKED, find_run, ping, remote, tracking_uri
from finetune.trained import Trained
from stagekit.job import Job

FOLDER = "evaluate"
"""Where a run keeps what is found here, so that the curves of the training stand by themselves."""


def run(job: Job) -> None:
    """Reads both splits and the training's result; writes the comparison, and whether the gate is passed.

    Rows: each contestant's answer to each test instruction that was asked. Files: `comparison.json`, `.md`, `.html` and
    `.svg`. Every sample read counts as kept: loss is measured on it, or it is an example or a text to have copied from.
    Only one model is in memory at a time.
    """
    quiet()
    ping()
    trained = Trained(job.input("train"))
    train, test = read_splits(job.input("samples"))
    tasks = make_tasks(trained.tokenizer, trained.training, job.config, train, test)
    general = _general(job, trained)
    base, before = _ask(job, trained, tasks, tuned=False, general=general)
    tuned, after = _ask(job, trained, tasks, tuned=True, general=general)
    forgetting = Forgetting(before, after) if before and after else None
    comparison = compare(job.config, tasks, base | tuned, forgetting, train)
    job.log.info("verdict", extra={"fields": {"gate": comparison.gate, "is": comparison.verdict.sentence}})
    files = _files(comparison)
    for name, text in files.items():
        job.output.add_text(name, text)
    job.output.write(answer_rows(comparison))
    job.output.keep("samples", job.input("samples").rows)
    job.output.metrics.update(comparison.metrics())
    _track(job, trained, comparison, files)


def _general(job: Job, trained: Trained) -> list[Row]:
    """General text to measure forgetting on; none where the recipe names none."""
    if job.config.general is None:
        return []
    return general_rows(trained.tokenizer, job.config.general, trained.training.max_length)


def _ask(
    job: Job, trained: Trained, tasks: Tasks, tuned: bool, general: Sequence[Row]
) -> tuple[dict[str, Measured], Loss | None]:
    """What one model does at its tasks, by the names of contestants, and its loss on general text."""
    device = pick_device(trained.training)
    model: Any = (trained.tuned if tuned else trained.base)(working_dtype(device), device)
    todo = {TUNED: tasks.plain} if tuned else {BASE: tasks.plain, PROMPTED: tasks.prompted}
    measured = {
        name: measure(job, name, trained.tokenizer, model, task, tasks.asked) for name, task in todo.items() if task
    }
    loss = mean_loss(model, general, trained.tokenizer.pad_token_id) if general else None
    del model
    gc.collect()
    return measured, loss


def _files(comparison: Comparison) -> dict[str, str]:
    return {
        "comparison.json": as_json(comparison),
        "comparison.md": as_markdown(comparison),
        "comparison.html": as_html(comparison),
        "comparison.svg": draw(comparison),
    }


def _track(job: Job, trained: Trained, comparison: Comparison, files: Mapping[str, str]) -> None:
    if not tracking_uri():
        job.log.info(UNTRACKED)
        return
    with remote("find the training's run"):
        run = find_run(trained.known_run())
    if run is None:
        job.log.warning("the training's run is not on this tracking server: the comparison is not logged there")
        return
    figures = {f"{FOLDER}/{name}": value for name, value in comparison.metrics().items()}
    run.metrics({name: value for name, value in figures.items() if isinstance(value, int | float)})
    for name, text in files.items():
        run.text(text, f"{FOLDER}/{name}")
    job.output.links.update({"mlflow_run": run.url} if run.url else {})
