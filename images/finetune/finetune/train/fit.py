"""One process of a training: load, train from a checkpoint or from the start, save. Alone, or one of several."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from contract.failures import RemoteTrouble
from finetune.base import TINY, base_folder, load_tokenizer
from finetune.model import load_model, save_model, working_dtype
from finetune.path import TrainingPath
from finetune.rows import SPLITS, open_rows, rows_file
from finetune.train import checkpoints
from finetune.train.outbox import Outbox
from finetune.train.outcome import Outcome, Start, identity, sharding_of
from finetune.train.watch import Checkpoints, Figures, memory
from finetune.trained import BASE, REVISION, TOKENIZER
from finetune.trainer import make_trainer
from stagekit.dataset import Dataset
from stagekit.job import Job


@contextmanager
def memory_suffices() -> Iterator[None]:
    """Turn a GPU that is full into `RemoteTrouble`."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise RemoteTrouble(
            f"the GPU's memory did not suffice: {error}",
            hint="a smaller batch, `gradient_checkpointing: always`, or qlora",
        ) from None


def fit(
    job: Job, tracked: Outbox | None, folder: Path, start: Start | None, device: torch.device, weights: Path
) -> Outcome:
    """Train with checkpoints in `folder`; the first process then writes what was trained to `weights`.

    Raises `RemoteTrouble` when a GPU's memory does not suffice.
    """
    with memory_suffices():
        trainer = _trainer(job, tracked, folder, device)
        count = trainer.model.num_parameters  # before the trainer splits them: 4-bit ones are then of no special kind
        trainable, parameters = count(only_trainable=True), count()
        if start:
            trainer._total_train_tokens = start.tokens  # the trainer itself would count from 0 again
            job.log.info("resumed", extra={"fields": {"step": start.step, "tokens": start.tokens}})
        trainer.train(resume_from_checkpoint=str(checkpoints.local_folder(folder, start.step)) if start else None)
        _save(trainer, weights, working_dtype(device))
    return Outcome(
        history=trainer.state.log_history,
        steps=trainer.state.global_step,
        tokens=trainer._total_train_tokens,
        trainable=trainable,
        parameters=parameters,
        memory=memory(),
    )


def _trainer(job: Job, tracked: Outbox | None, folder: Path, device: torch.device) -> Any:
    training, plan, split = job.config.training, job.input("plan"), sharding_of(job) != "none"
    torch.manual_seed(training.seed)
    tokenizer = load_tokenizer(plan.folder(TOKENIZER))
    train, test = (open_rows(plan.file(rows_file(split))) for split in SPLITS)
    settled = plan.file("plan.json").read_text()
    base = _base(plan, training.base_model, json.loads(settled)[REVISION])
    added, path = bool(json.loads(settled)["added_tokens"]), TrainingPath.of_plan(settled)
    four_bit = training.method == "qlora"
    model = load_model(base, tokenizer, working_dtype(device), device, four_bit, path.attention, split)
    config = job.config.model_copy(update={"training": path.settled(training)})
    trainer = make_trainer(model, tokenizer, config, (train, test), added, folder, [Figures(job, tracked)], device)
    trainer.add_callback(Checkpoints(job, identity(job, device), lambda: trainer._total_train_tokens))
    return trainer


def _base(plan: Dataset, base_model: str, revision: str) -> Path:
    """The base model's folder: the plan's own, or the very revision that it planned for."""
    return plan.folder(BASE) if base_model == TINY else base_folder(base_model, revision)


def _save(trainer: Any, weights: Path, dtype: torch.dtype) -> None:
    """Write adapter or model. Split weights are gathered by all processes; where all is trained they are float32 ones
    of which bfloat16 ones are kept, as of a training that is not split."""
    state = None
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    if not trainer.is_world_process_zero():
        return
    if state is not None and not hasattr(trainer.model, "peft_config"):
        state = {name: tensor.to(dtype) for name, tensor in state.items()}
    save_model(trainer.model, weights, state=state)
