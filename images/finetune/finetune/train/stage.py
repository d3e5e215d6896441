"""train: supervised fine-tuning, resumable, tracked in one MLflow run, by one process or several."""

import json
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import torch

from contract.failures import BadInput
from finetune.model import pick_device, quiet
from finetune.train import checkpoints
from finetune.train.outbox import Outbox
from finetune.train.outcome import Outcome, Start, identity, sharding_of, weights_name
from finetune.train.result import write_result
from finetune.train.start import train_in_processes
from finetune.train.tracked import open_outbox
from stagekit.job import Job

SWEPT = "learning_rate"
"""What the trainings of one plan may differ in: nothing in a plan depends on it."""


def run(job: Job) -> None:
    """Reads the plan with its rows, made of these samples; writes adapter or model, tokenizer, history.

    Scratch holds checkpoints until then.
    """
    quiet()
    tracked = open_outbox(job)
    started, done = time.monotonic(), False
    try:
        with (
            tempfile.TemporaryDirectory(prefix="nocturne-train-") as folder,
            tracked.run.system_metrics() if tracked else nullcontext(),
        ):
            outcome = _train(job, tracked, Path(folder))
        write_result(job, outcome, tracked, time.monotonic() - started)
        done = True
    finally:
        if tracked:
            tracked.finish("FINISHED" if done else "FAILED")


def _train(job: Job, tracked: Outbox | None, folder: Path) -> Outcome:
    device = pick_device(job.config.training)
    _check_plan(job, device)
    weights = job.output.workdir / weights_name(job)
    start = _start(job, device, folder)
    if job.config.training.processes == 1:
        from finetune.train.fit import fit  # it takes seconds to import, and processes do it themselves

        return fit(job, tracked, folder, start, device, weights)
    return train_in_processes(job, tracked, folder, start, weights)


def _check_plan(job: Job, device: torch.device) -> None:
    """Raises `BadInput` where the plan is not of this very training and data, or of another device."""
    plan = job.input("plan")
    ours = job.config.training.model_dump(mode="json")
    planned = plan.manifest.config["training"]
    differ = [name for name in ours if name != SWEPT and ours[name] != planned.get(name)]
    data = {parent.content_hash for parent in plan.manifest.parents if parent.input == "samples"}
    if job.input("samples").manifest.content_hash not in data:
        differ.append("the samples")
    if differ:
        raise BadInput(
            f"the plan is of another training: {', '.join(differ)} differ",
            expected="a plan with this `training` and these samples",
            where=plan.uri,
            hint="run `plan` again with the same config",
        )
    launch = json.loads(plan.file("plan.json").read_text())["launch"]
    if launch["processes"] > 1 and launch["device"] != device.type:
        raise BadInput(
            f"the plan starts {launch['processes']} processes on {launch['device']} and here is {device.type}",
            expected="a plan made where the training runs",
            where=plan.uri,
            hint="run `plan` again on this machine",
        )


def _start(job: Job, device: torch.device, folder: Path) -> Start | None:
    """The newest whole checkpoint of this very training, brought to the trainer's folder; None where there is none."""
    scratch, wanted = job.scratch(), checkpoints.needed(job.config.training.processes, sharding_of(job))
    found = checkpoints.find(scratch, identity(job, device), wanted, job.log)
    taken = checkpoints.restore(scratch, found, folder, job.log)
    return Start(taken.step, taken.tokens) if taken else None
