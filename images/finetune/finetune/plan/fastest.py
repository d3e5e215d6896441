"""The fastest correct way to train that fits."""

from typing import Any

import torch
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING
from transformers.utils import is_flash_attn_2_available, is_flash_attn_3_available

from contract.config.finetune import Training
from finetune.model import attention_of
from finetune.path import TrainingPath
from finetune.plan.fit import Counted
from finetune.plan.sharing import Choice, choose
from finetune.plan.sharing import settled as with_sharding

FLASH = {"flash_attention_3": is_flash_attn_3_available, "flash_attention_2": is_flash_attn_2_available}
"""Kernels that are told where each packed sample begins, so they need no mask with a cell for each pair of tokens; the
fastest first. They are packages of their own, built against the GPU at hand."""


def settle(
    config: Any, counted: Counted, training: Training, device: torch.device, room: float | None
) -> tuple[Choice, TrainingPath, Training]:
    """What the processes split, the path of each, and the training with both in place of `auto`.

    Recomputing activations goes before splitting what would not fit, and what is split may do without it.
    """
    whole = choose_path(config, counted, training, device, room).settled(training)
    choice = choose(counted, whole, room)
    training = with_sharding(training, choice)
    path = choose_path(config, counted, training, device, room)
    return choice, path, path.settled(training)


def choose_path(
    config: Any, counted: Counted, training: Training, device: torch.device, room: float | None
) -> TrainingPath:
    """The path of a training on a GPU with so much memory (GB; None where there is none to plan for)."""
    return TrainingPath(fastest_attention(config, device), checkpoints(counted, training, room), training.compile)


def checkpoints(counted: Counted, training: Training, room: float | None) -> bool:
    """Whether to recompute activations: where the recipe says so, or leaves it open and memory does not suffice."""
    if training.gradient_checkpointing != "auto":
        return training.checkpointing
    return room is not None and counted.sizes(training)["total"] > room


def fastest_attention(config: Any, device: torch.device) -> str:
    """FlashAttention where it is installed, runs on the device and the architecture has it; else PyTorch's own."""
    architecture = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    if device.type == "cuda" and getattr(architecture, "_supports_flash_attn", False):
        return next((name for name, is_there in FLASH.items() if is_there()), attention_of(config))
    return attention_of(config)
