"""`python -m finetune.train.launcher TASK CONFIG [DEEPSPEED]`: accelerate's own launcher, in a process of its own.

It dies with the stage that started it, as the training's processes die with it, and says which of them ended first.
"""

import json
import logging
import sys
from pathlib import Path

from accelerate.commands.launch import launch_command, launch_command_parser
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from finetune.launch import launch_arguments
from finetune.train.lifeline import die_with_parent
from finetune.train.task import ENDED


def main(task: str, config: str, deepspeed: str | None = None) -> int:
    """Start the processes and wait; 0 when all ended well."""
    die_with_parent()
    logging.getLogger("torch.distributed").setLevel(
        logging.CRITICAL
    )  # it tells of each end with a traceback of its own
    arguments = launch_arguments(config, deepspeed, task)
    try:
        launch_command(launch_command_parser().parse_args(arguments))
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        (Path(task).parent / ENDED).write_text(json.dumps({"rank": rank, "exit": failure.exitcode}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
