"""`make launch-plan`: what a recipe's training needs, and what would be started, before there is any data.

It reads the base model's config alone; `tiny`, which is made from the data, is taken at its usual size.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import torch

from contract.config.finetune import PlanConfig, Training
from contract.config.gpus import Gpu
from contract.failures import BadConfig, Failure
from contract.problems import parse_config
from contract.recipe import Finetune, load_recipe
from finetune.base import TINY, base_folder, load_config
from finetune.launch import launch_files
from finetune.model import pick_device, quiet
from finetune.plan.fastest import settle
from finetune.plan.fit import check_fit, count, gpu_memory
from finetune.plan.report import processes_section, sizes_section
from finetune.plan.sharing import Choice, check_choice, check_loading, table
from finetune.tiny import VOCABULARY, tiny_model


def main(arguments: Sequence[str]) -> int:
    """Write the report to standard output; returns a failure's exit code after the report, or 0."""
    quiet()
    options = _parser().parse_args(arguments)
    try:
        finetune = load_recipe(Path(options.recipe)).finetune
        if finetune is None:
            raise BadConfig("the recipe has no `finetune` section", where=options.recipe)
        show(_plan_config(finetune, options))
    except Failure as failure:
        sys.stderr.write(f"{failure.sentence()}\n")
        return failure.exit_code
    return 0


def show(plan: PlanConfig) -> None:
    """Write memory, choice, number of GPUs, files and command; raise what the stage `plan` would refuse of them."""
    training = plan.training
    device, config = pick_device(training), base_config(training)
    available = gpu_memory(plan, device)
    counted = count(config, training, new_tokens=False, gpu=available is not None)
    choice, _, training = settle(config, counted, training, device, available)
    launch = {"processes": choice.processes, "sharding": choice.sharding, "reason": choice.reason}
    parts = [
        f"# {training.method} on {training.base_model}",
        sizes_section(counted.sizes(training), available),
        processes_section(launch, table(counted, training, available), training),
        *_files(choice, device, planned=available is not None),
    ]
    sys.stdout.write("\n\n".join(parts) + "\n")
    present = torch.cuda.device_count() if device.type == "cuda" and plan.gpu is None else None
    check_choice(choice, training, available is None, present)
    check_fit(counted, training, available)
    check_loading(counted, training, available)


def base_config(training: Training) -> Any:
    """The base model's config."""
    if training.base_model == TINY:
        return tiny_model(VOCABULARY, training.seed, training.max_length).config
    return load_config(base_folder(training.base_model))


def _files(choice: Choice, device: torch.device, planned: bool) -> list[str]:
    files = launch_files(choice.processes, choice.sharding, gpu=planned or device.type == "cuda")
    return [f"## {name}\n\n```\n{text.strip()}\n```" for name, text in files.items()]


def _plan_config(finetune: Finetune, options: argparse.Namespace) -> PlanConfig:
    """The recipe's settings with those of the command line."""
    changes = {name: getattr(options, name) for name in ("processes", "sharding") if getattr(options, name)}
    training = parse_config(Training, finetune.training.model_dump(mode="json") | changes, where="the command line")
    memory = None if options.gpu else finetune.gpu_memory_gb
    return PlanConfig(training=training, gpu=options.gpu or finetune.gpu, gpu_memory_gb=memory)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make launch-plan", description=__doc__.partition("\n\n")[2])
    parser.add_argument("--recipe", required=True, help="a recipe's file")
    parser.add_argument("--gpu", choices=get_args(Gpu), help="the GPU to plan for; else the recipe's")
    parser.add_argument("--processes", type=int, help="how many; else the recipe's")
    parser.add_argument(
        "--sharding", choices=("auto", "none", "fsdp", "deepspeed"), help="what to split; else the recipe's"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
