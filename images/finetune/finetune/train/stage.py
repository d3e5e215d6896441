"""train: supervised fine-tuning, resumable, tracked in one MLflow run."""

import json
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import accelerate
import peft
import torch
import transformers
import trl

from contract.config.base import versioned
from contract.failures import BadInput, RemoteTrouble
from finetune.base import TINY, base_folder, load_tokenizer
from finetune.model import load_model, pick_device, quiet, working_dtype
from finetune.rows import SPLITS, open_rows, rows_file
from finetune.train import checkpoints
from finetune.train.outbox import Outbox
from finetune.train.result import write_result
from finetune.train.tracked import open_outbox
from finetune.train.trainer import make_trainer
from finetune.train.watch import Checkpoints, Figures
from finetune.trained import BASE, TOKENIZER
from stagekit.dataset import Dataset
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
            trainer = _train(job, tracked, Path(folder))
        write_result(job, trainer, tracked, time.monotonic() - started)
        done = True
    except torch.OutOfMemoryError as error:
        raise RemoteTrouble(
            f"the GPU's memory did not suffice: {error}", hint="a smaller batch, gradient checkpointing, or qlora"
        ) from None
    finally:
        if tracked:
            tracked.finish("FINISHED" if done else "FAILED")


def _train(job: Job, tracked: Outbox | None, folder: Path) -> Any:
    training = job.config.training
    device = pick_device(training)
    torch.manual_seed(training.seed)
    plan = _checked_plan(job)
    tokenizer = load_tokenizer(plan.folder(TOKENIZER))
    base = plan.folder(BASE) if training.base_model == TINY else base_folder(training.base_model)
    added = bool(json.loads(plan.file("plan.json").read_text())["added_tokens"])
    train, test = (open_rows(plan.file(rows_file(split))) for split in SPLITS)
    model = load_model(base, tokenizer, working_dtype(device), device, four_bit=training.method == "qlora")
    trainer = make_trainer(model, tokenizer, job.config, (train, test), added, folder, [Figures(job, tracked)])
    identity = checkpoints.identity_of(_identity(job, device))
    trainer.add_callback(Checkpoints(job, identity, lambda: trainer._total_train_tokens))
    _resume(job, trainer, identity, folder)
    return trainer


def _checked_plan(job: Job) -> Dataset:
    """The plan, which must be of this very training and data. Raises `BadInput` where it is not."""
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
    return plan


def _resume(job: Job, trainer: Any, identity: checkpoints.Identity, folder: Path) -> None:
    """Train from the newest whole checkpoint of this very training, or from the start."""
    scratch = job.scratch()
    found = checkpoints.restore(scratch, checkpoints.find(scratch, identity, job.log), folder, job.log)
    if found:
        trainer._total_train_tokens = found.tokens  # the trainer itself would count from 0 again
        job.log.info("resumed", extra={"fields": {"step": found.step, "tokens": found.tokens}})
    trainer.train(resume_from_checkpoint=str(checkpoints.local_folder(folder, found.step)) if found else None)


def _identity(job: Job, device: torch.device) -> dict[str, Any]:
    return {
        "config": versioned(job.config),
        "samples": job.input("samples").manifest.content_hash,
        "plan": job.input("plan").manifest.content_hash,
        "device": device.type,
        "libraries": {module.__name__: module.__version__ for module in (accelerate, peft, torch, transformers, trl)},
    }
