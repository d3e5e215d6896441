"""A training seen from outside: where it starts, what it came to, what a checkpoint must share with it.

None of it needs the slow libraries, which a stage that starts processes leaves to them.
"""

import json
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import torch

from contract.config.base import versioned
from finetune.train import checkpoints
from finetune.trained import ADAPTER, MODEL
from stagekit.job import Job

LIBRARIES = ("accelerate", "peft", "torch", "transformers", "trl")


@dataclass(frozen=True)
class Start:
    """From where to train: a checkpoint that is already in the trainer's folder, with its step and the tokens seen."""

    step: int
    tokens: int


@dataclass(frozen=True)
class Outcome:
    """What a training came to. `memory` is that of the process that wrote it."""

    history: list[dict[str, Any]]
    steps: int
    tokens: int
    trainable: int
    parameters: int
    memory: dict[str, float]


def sharding_of(job: Job) -> str:
    """What the plan chose to split among processes."""
    return str(json.loads(job.input("plan").file("plan.json").read_text())["launch"]["sharding"])


def weights_name(job: Job) -> str:
    """The folder of what is trained."""
    return MODEL if job.config.training.method == "full" else ADAPTER


def identity(job: Job, device: torch.device) -> checkpoints.Identity:
    """All that a checkpoint must share with this training to be taken up."""
    return checkpoints.identity_of(
        {
            "config": versioned(job.config),
            "samples": job.input("samples").manifest.content_hash,
            "plan": job.input("plan").manifest.content_hash,
            "device": device.type,
            "libraries": {name: metadata.version(name) for name in LIBRARIES},
        }
    )
