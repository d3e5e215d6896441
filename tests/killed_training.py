"""A training in a process of its own that kills itself, with SIGKILL, at a chosen moment, or takes its time.

Processes are forked from a server that has imported the slow libraries once, and computed nothing.
"""

import json
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

LIBRARIES = ["finetune.train.stage", "finetune.train.fit", "finetune.plan.stage", "stagekit.run"]


def run_in_process(stage: str, config: dict, inputs: Sequence[str], output: Path, moment: str = "") -> tuple[int, str]:
    """The exit code (-9 after a SIGKILL) and the log of one run of a stage; `moment` is one of `MOMENTS` or `PACES`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    log = output.parent / f"{output.name}-{moment.replace(' ', '-')}.log"
    told = (stage, config, list(inputs), f"{output}/", moment, str(log), dict(os.environ))
    process = context.Process(target=_run, args=told)
    process.start()
    process.join()
    return process.exitcode, log.read_text()


def _run(
    stage: str, config: dict, inputs: list[str], output: str, moment: str, log: str, environment: dict[str, str]
) -> None:
    os.environ.update(environment)  # what is forked has that of the first test that asked for a process
    from contract.stages import BY_NAME
    from stagekit.request import build_request
    from stagekit.run import run_stage

    logger = logging.getLogger("nocturne")
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(message)s %(fields)s", defaults={"fields": ""}))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    if moment:
        (MOMENTS | PACES)[moment]()
    run_stage(build_request(BY_NAME[stage], json.dumps(config), inputs, output))


def _die(*args: Any, **rest: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _at_step(number: int) -> Callable[[], None]:
    def arrange() -> None:
        from finetune.train.watch import Figures

        def end(self: Any, args: Any, state: Any, control: Any, **rest: Any) -> None:
            if state.global_step == number:
                _die()

        Figures.on_step_end = end

    return arrange


def _while_a_checkpoint_is_copied() -> None:
    from stagekit.store_local import LocalStore

    upload, done = LocalStore.upload, []

    def torn(self: Any, name: str, path: Path) -> None:
        done.append(name)
        _die() if len(done) == 4 else upload(self, name, path)

    LocalStore.upload = torn


def _when_a_checkpoint_is_whole() -> None:
    from finetune.train import checkpoints

    checkpoints._prune = _die


def _in_an_evaluation() -> None:
    from finetune.train.watch import Figures

    Figures.on_prediction_step = _die


def _when_all_is_written_but_the_manifest() -> None:
    from stagekit import run

    run._commit = _die


MOMENTS: dict[str, Callable[[], None]] = {
    "before the first checkpoint": _at_step(2),
    "while a checkpoint is copied": _while_a_checkpoint_is_copied,
    "when a checkpoint is whole": _when_a_checkpoint_is_whole,
    "in an evaluation": _in_an_evaluation,
    "when all is written but the manifest": _when_all_is_written_but_the_manifest,
}


def _rest(first: int, last: int, seconds: float) -> Callable[[], None]:
    """Each step from the first to the last of these takes so many seconds longer."""

    def arrange() -> None:
        from finetune.train.watch import Figures

        on_step_end = Figures.on_step_end

        def end(self: Any, args: Any, state: Any, control: Any, **rest: Any) -> Any:
            if first <= state.global_step <= last:
                time.sleep(seconds)
            return on_step_end(self, args, state, control, **rest)

        Figures.on_step_end = end

    return arrange


PACES: dict[str, Callable[[], None]] = {"seventy seconds from the first checkpoint on": _rest(7, 26, 3.5)}
