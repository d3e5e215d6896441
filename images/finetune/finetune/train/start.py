"""Start a training's processes with accelerate, wait for them, and end as they ended."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contract.failures import RemoteTrouble
from finetune.launch import ACCELERATE, DEEPSPEED
from finetune.train.outbox import Outbox
from finetune.train.outcome import Outcome, Start, sharding_of
from finetune.train.task import ENDED, OUTCOME, Task, read_failure
from stagekit.job import Job


def train_in_processes(job: Job, tracked: Outbox | None, folder: Path, start: Start | None, weights: Path) -> Outcome:
    """Train in the processes that the plan says; the first of them reports to MLflow and keeps the checkpoints.

    Raises the failure of the process that failed first; `RemoteTrouble` where one was killed, as for lack of memory.
    """
    task = _task(job, tracked, folder, start, weights).write()
    try:
        with _started(_command(job, task), job.config.training.device == "cpu") as process:
            code = process.wait()
    finally:
        if tracked:
            tracked.take_up()
    if code:
        raise _why(folder, code)
    return Outcome(**json.loads((folder / OUTCOME).read_text()))


def _task(job: Job, tracked: Outbox | None, folder: Path, start: Start | None, weights: Path) -> Task:
    return Task(
        config=job.config.model_dump(mode="json"),
        inputs={name: datasets[0].uri for name, datasets in job.inputs.items()},
        output=str(job.address),
        key=job.key,
        folder=str(folder),
        weights=str(weights),
        run=tracked.run.as_json() if tracked else None,
        start=(start.step, start.tokens) if start else None,
    )


def _command(job: Job, task: Path) -> list[str]:
    plan = job.input("plan")
    deepspeed = [str(plan.file(DEEPSPEED))] if sharding_of(job) == "deepspeed" else []
    return [sys.executable, "-m", "finetune.train.launcher", str(task), str(plan.file(ACCELERATE)), *deepspeed]


@contextmanager
def _started(command: list[str], on_cpu: bool) -> Iterator[subprocess.Popen[bytes]]:
    """The launcher, which is killed when the block is left, and its processes with it. Nothing of theirs is lost, since
    a checkpoint counts only when it is whole. Standard output belongs to the result alone."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    if on_cpu:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _why(folder: Path, code: int) -> Exception:
    failure = read_failure(folder)
    if failure is not None:
        return failure
    ended: dict[str, Any] = {"rank": None, "exit": code}
    if (folder / ENDED).exists():
        ended = json.loads((folder / ENDED).read_text())
    who = "the launcher" if ended["rank"] is None else f"process {ended['rank']}"
    if ended["exit"] < 0:
        return RemoteTrouble(
            f"{who} of the training was killed by signal {-ended['exit']}",
            hint="more memory for the stage: the system kills what takes too much; a retry goes on from the checkpoint",
        )
    return RuntimeError(f"{who} of the training ended with exit code {ended['exit']}; its traceback is in the log")
