"""Two real steps at the recipe's batch and length, measured: what the estimate is corrected by.

The rows are full and learned throughout, which is the dearest batch that packing can make. The first step makes the
optimizer's state, so the second is the one that counts.
"""

import gc
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from contract.config.finetune import TrainConfig, Training
from contract.failures import BadConfig
from finetune.model import load_model, working_dtype
from finetune.path import TrainingPath
from finetune.plan.fit import Counted, largest_batch
from finetune.plan.memory import GB, LASTING

STEPS = 2
ANY_ID = 10
"""Any token that is neither padding nor an end would do; a row holds it alone."""


@dataclass(frozen=True)
class Base:
    """The base model, where its folder is, with its dressed tokenizer; and where to compute."""

    folder: Path
    tokenizer: Any
    device: torch.device
    added_tokens: bool


@dataclass(frozen=True)
class Measured:
    """Peak memory that tensors took on the GPU (GB; None on a CPU), and the seconds of the second step."""

    peak_gb: float | None
    step_seconds: float


def is_wanted(when: str, device: torch.device) -> bool:
    """Whether to measure: `always`, `never`, or on a `gpu`."""
    return when == "always" or (when == "gpu" and device.type == "cuda")


def probe_path(
    base: Base, path: TrainingPath, counted: Counted, training: Training, room: float | None
) -> tuple[TrainingPath, dict[str, float]]:
    """Probe a training on its path; where that does not fit and the recipe leaves it open, with gradient checkpointing.

    Returns the path that fits, with its figures. Raises `BadConfig` where none does.
    """
    try:
        return path, _probed(base, path, counted, training, room)
    except BadConfig:
        if training.gradient_checkpointing != "auto" or path.gradient_checkpointing:
            raise
    path = replace(path, gradient_checkpointing=True)
    return path, _probed(base, path, counted, training, room)


def _probed(
    base: Base, path: TrainingPath, counted: Counted, training: Training, room: float | None
) -> dict[str, float]:
    settled = path.settled(training)
    return check_probe(probe(base, settled, path.attention), counted, settled, room)


def probe(base: Base, training: Training, attention: str) -> Measured:
    """Load the base as train will and take two steps. Raises `BadConfig` when memory runs out."""
    try:
        return _measure(base, training, attention)
    except torch.OutOfMemoryError as error:
        raise BadConfig(
            f"two real steps ran out of memory: {str(error).partition('. ')[0]}",
            expected="a batch that fits",
            hint="a smaller `training.batch_size`, `gradient_checkpointing: always`, or `method: qlora`",
        ) from None
    finally:
        gc.collect()  # a trainer and its callbacks hold each other, and the model, which another probe would count
        if base.device.type == "cuda":
            torch.cuda.empty_cache()


def check_probe(measured: Measured, counted: Counted, training: Training, available: float | None) -> dict[str, float]:
    """Figures of a probe; with a peak also the correction of what comes and goes, and the largest batch by it.

    Raises `BadConfig` when the measured peak exceeds the memory planned for.
    """
    tokens = training.batch_size * training.max_length
    figures = {
        "probe_step_seconds": measured.step_seconds,
        "probe_tokens_per_second": tokens / measured.step_seconds,
    }
    if measured.peak_gb is None:
        return figures
    peak = measured.peak_gb + counted.sizes(training)["context"]
    if available is not None and peak > available:
        raise BadConfig(
            f"two real steps took {peak:.1f} GB",
            expected=f"at most the {available:.1f} GB of the GPU",
            hint="a smaller `training.batch_size`, or `gradient_checkpointing: always`",
        )
    factor = correction(counted, training, peak)
    figures |= {"probe_peak_gb": peak, "probe_correction": factor}
    if available is not None:
        figures["largest_batch"] = largest_batch(lambda n: corrected(counted, training, n, factor), available)
    return figures


def correction(counted: Counted, training: Training, peak: float) -> float:
    """By what to multiply the estimate of what comes and goes, so that the sum is the measured peak (GB)."""
    sizes = counted.sizes(training)
    lasting = sum(sizes[name] for name in LASTING)
    return max(0.0, peak - lasting) / (sizes["total"] - lasting)


def corrected(counted: Counted, training: Training, batch: int, factor: float) -> float:
    """The estimate (GB) at another batch, corrected."""
    sizes = counted.sizes(training.model_copy(update={"batch_size": batch}))
    lasting = sum(sizes[name] for name in LASTING)
    return lasting + factor * (sizes["total"] - lasting)


class _Clock(TrainerCallback):  # type: ignore[misc]
    """When each step ended, with all that the GPU was given done."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append(time.monotonic())


def _measure(base: Base, training: Training, attention: str) -> Measured:
    clock, device = _Clock(), base.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory(prefix="nocturne-probe-") as scratch:
        four_bit = training.method == "qlora"
        model = load_model(base.folder, base.tokenizer, working_dtype(device), device, four_bit, attention)
        trainer = _trainer(model, base.tokenizer, training, base.added_tokens, Path(scratch))
        trainer.add_callback(clock)
        trainer.train()
    peak = torch.cuda.max_memory_allocated() / GB if device.type == "cuda" else None
    return Measured(peak, clock.ends[1] - clock.ends[0])


def _trainer(model: Any, tokenizer: Any, training: Training, added: bool, scratch: Path) -> Any:
    """The trainer that train makes, for one process, over full rows; it neither evaluates nor saves."""
    from datasets import Dataset  # slow to import, both, and needed where a probe is wanted alone

    from finetune.trainer import make_trainer

    number = STEPS * training.batch_size
    columns = {name: [[ANY_ID] * training.max_length] * number for name in ("input_ids", "labels")}
    if training.packing:
        columns["seq_lengths"] = [[training.max_length]] * number
    alone = {"accumulation": 1, "processes": 1, "sharding": "none", "epochs": 1, "early_stopping": 0}
    config = TrainConfig(training=training.model_copy(update=alone))
    rows = Dataset.from_dict(columns)
    trainer = make_trainer(model, tokenizer, config, (rows, rows), added, scratch, [])
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    return trainer
