"""`python -m finetune.train.worker TASK`, started by accelerate: one of the processes that train together.

All compute; the first alone reports to MLflow, keeps checkpoints, and writes weights and outcome.
"""

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import PartialState

from contract.config.finetune import TrainConfig
from contract.failures import Failure
from contract.stages import BY_NAME
from finetune.model import pick_device, quiet
from finetune.tracking import Run
from finetune.train.fit import fit
from finetune.train.lifeline import die_with_parent
from finetune.train.outbox import Outbox
from finetune.train.outcome import Start
from finetune.train.task import OUTCOME, Task, write_failure
from stagekit.dataset import open_dataset
from stagekit.destination import LocalDestination
from stagekit.job import Job
from stagekit.logs import set_up_logs
from stagekit.output import Output
from stagekit.store import resolve


def main(path: str) -> int:
    """Train; returns the exit code of the failure that it left for the stage, or 0."""
    die_with_parent()
    quiet()
    log, task = set_up_logs(), Task.read(Path(path))
    config = TrainConfig.model_validate(task.config)
    on_cpu = pick_device(config.training).type == "cpu"
    state = PartialState(cpu=on_cpu)
    if not state.is_main_process:
        log.setLevel(logging.WARNING)  # all would say the same
    try:
        _train(task, config, state, torch.device("cpu") if on_cpu else state.device)
    except Failure as failure:
        write_failure(Path(task.folder), state.process_index, failure)
        return failure.exit_code
    state.wait_for_everyone()
    state.destroy_process_group()
    return 0


def _train(task: Task, config: TrainConfig, state: PartialState, device: torch.device) -> None:
    job = _job(task, config, state.process_index)
    tracked = None
    if task.run and state.is_main_process:
        tracked = Outbox(Run(**json.loads(task.run)), job.scratch(), job.log)
    start = Start(*task.start) if task.start else None
    outcome = fit(job, tracked, Path(task.folder), start, device, Path(task.weights))
    if state.is_main_process:
        (Path(task.folder) / OUTCOME).write_text(json.dumps(asdict(outcome)))


def _job(task: Task, config: TrainConfig, number: int) -> Job:
    """The stage's job, with an output of its own that nobody commits."""
    inputs = {}
    for name, uri in task.inputs.items():
        dataset = open_dataset(resolve(uri))
        assert dataset, uri
        inputs[name] = [dataset]
    address = resolve(task.output)
    place = LocalDestination(resolve(f"{task.folder}/output-{number}"))
    return Job(BY_NAME["train"], config, inputs, Output(place, None, 1), address, task.key)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
