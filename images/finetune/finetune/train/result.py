"""What a finished training leaves: weights, tokenizer, history, and its page in MLflow."""

import json
import shutil
from pathlib import Path
from typing import Any

from finetune.base import TINY
from finetune.train.curves import read_curves
from finetune.train.outbox import Outbox
from finetune.train.outcome import Outcome, weights_name
from finetune.train.picture import draw_curves
from finetune.train.watch import NAMES
from finetune.trained import ADAPTER, BASE, REVISION, TOKENIZER, TRACKING
from stagekit.job import Job


def write_result(job: Job, outcome: Outcome, tracked: Outbox | None, seconds: float) -> None:
    """Write the dataset's files and figures beside the weights. What is hashed holds no times and no paths."""
    output, training = job.output, job.config.training
    history = [_deterministic(entry) for entry in outcome.history]
    # Sorted: a resumed training reads its first entries back from a checkpoint, where they are.
    curves = json.dumps([entry for entry in history if len(entry) > 1], indent=1, sort_keys=True)
    output.add_text("history.json", curves)
    named = [{NAMES.get(name, name): value for name, value in entry.items()} for entry in history]
    reading = read_curves(named)
    picture = draw_curves(named, reading)
    output.add_text("curves.svg", picture, hashed=False)  # its fonts are the machine's
    job.log.info("curves", extra={"fields": {"verdict": reading.verdict, "reading": reading.sentence}})
    _add_weights(job)
    _copy(job, TOKENIZER)
    if training.base_model == TINY:
        _copy(job, BASE)
    output.metrics.update(
        steps=outcome.steps,
        tokens=outcome.tokens,
        train_loss=_last(history, "loss"),
        eval_loss=_kept_loss(job, history),
        trainable_parameters=outcome.trainable,
        parameters=outcome.parameters,
        curves=reading.sentence,
    )
    if revision := json.loads(job.input("plan").file("plan.json").read_text())[REVISION]:
        output.metrics[REVISION] = revision
    output.add_text("speed.json", json.dumps({"seconds": seconds} | outcome.memory), hashed=False)
    if tracked:
        tracked.text(curves, "history.json")
        tracked.text(picture, "curves.svg")
        tracked.tags({"nocturne.curves": reading.sentence, "mlflow.note.content": reading.sentence})
        output.add_text(TRACKING, tracked.run.as_json(), hashed=False)
        output.links.update({"mlflow_run": tracked.run.url} if tracked.run.url else {})


def _add_weights(job: Job) -> None:
    name = weights_name(job)
    folder = job.output.workdir / name
    (folder / "README.md").unlink(missing_ok=True)  # a form with this machine's path in it; `export` writes the card
    if name == ADAPTER:
        _name_base(folder / "adapter_config.json", job.config.training.base_model)
    job.output.add_folder(name)


def _name_base(path: Path, base_model: str) -> None:
    """PEFT notes the folder that the base was loaded from, and layers in a set's order: both differ between runs."""
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = base_model
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True))


def _copy(job: Job, name: str) -> None:
    shutil.copytree(job.input("plan").folder(name), job.output.workdir / name)
    job.output.add_folder(name)


def _deterministic(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name in NAMES or name == "step"}


def _kept_loss(job: Job, history: list[dict[str, Any]]) -> float | None:
    """The test loss of the weights that were kept: the best with early stopping, else the last."""
    losses = [entry["eval_loss"] for entry in history if "eval_loss" in entry]
    if not losses:
        return None
    return float(min(losses) if job.config.training.early_stopping else losses[-1])


def _last(history: list[dict[str, Any]], name: str) -> float | None:
    return next((entry[name] for entry in reversed(history) if name in entry), None)
