"""What happens beside the steps: figures to log and tracker, checkpoints to the store."""

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from finetune.train import checkpoints
from finetune.train.outbox import Outbox
from stagekit.job import Job

NAMES = {
    "loss": "train_loss",
    "eval_loss": "eval_loss",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
    "num_tokens": "tokens",
    "mean_token_accuracy": "token_accuracy",
    "eval_mean_token_accuracy": "eval_token_accuracy",
    "epoch": "epoch",
}
"""What the trainer logs, by the names that people see. Its timings are ours to measure."""


class Figures(TrainerCallback):  # type: ignore[misc]
    """Sends each step's figures to the log and to MLflow."""

    def __init__(self, job: Job, run: Outbox | None) -> None:
        self.job, self.run = job, run
        self._last: tuple[float, float] | None = None

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **rest: Any) -> None:
        """One step or one evaluation."""
        figures = {NAMES[name]: value for name, value in (logs or {}).items() if name in NAMES}
        if not figures or "train_runtime" in (logs or {}):
            return
        shown = {name: f"{value:.0f}" if name == "tokens" else f"{value:.4g}" for name, value in figures.items()}
        self.job.log.info("step", extra={"fields": {"step": f"{state.global_step}/{state.max_steps}"} | shown})
        if self.run:
            self.run.metrics(figures | self._speed(figures) | memory(), state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> Any:
        """The last step is always evaluated: curves need their end, and a sweep what its trainings came to."""
        if state.global_step >= state.max_steps:
            control.should_evaluate = True
        return control

    def _speed(self, figures: dict[str, float]) -> dict[str, float]:
        now, tokens = time.monotonic(), figures.get("tokens")
        if tokens is None:
            return {}
        last, self._last = self._last, (now, tokens)
        return {"tokens_per_second": (tokens - last[1]) / (now - last[0])} if last and now > last[0] else {}


class Checkpoints(TrainerCallback):  # type: ignore[misc]
    """Copies each checkpoint to the job's scratch store, whole: the first process does, once all have written."""

    def __init__(self, job: Job, identity: checkpoints.Identity, tokens: Callable[[], int]) -> None:
        self.job, self.identity, self.tokens = job, identity, tokens

    def on_save(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """A checkpoint was written to the trainer's own folder."""
        if args.world_size > 1:
            torch.distributed.barrier()
        if not state.is_world_process_zero:
            return
        folder = checkpoints.local_folder(Path(args.output_dir), state.global_step)
        best = state.best_model_checkpoint == str(folder)
        checkpoints.save(self.job.scratch(), folder, state.global_step, self.tokens(), self.identity, best)
        self.job.log.info("checkpoint", extra={"fields": {"step": state.global_step, "tokens": self.tokens()}})


def memory() -> dict[str, float]:
    """Memory at its highest so far, in GB: this process, and the GPU where there is one."""
    used = {"memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}
    if torch.cuda.is_available():
        used["gpu_memory_gb"] = torch.cuda.max_memory_allocated() / 1e9
    return used
