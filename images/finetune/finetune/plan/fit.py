"""Does it fit the GPU? Refused with the numbers, and with what would fit instead."""

from typing import Any

import torch

from contract.config.finetune import Training
from contract.failures import BadConfig
from finetune.plan.sizes import GB, count_parameters, memory


def gpu_memory(named: float | None, device: torch.device) -> float | None:
    """Memory of the GPU to plan for (GB): the one named, else the one present, else none."""
    if named is not None:
        return named
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory) / GB
    return None


def check_fit(sizes: dict[str, float], available: float | None, config: Any, training: Training) -> None:
    """Raises `BadConfig` when the estimate exceeds the memory there is."""
    if available is None or sizes["total"] <= available:
        return
    largest = sorted((name for name in sizes if name != "total"), key=lambda name: -sizes[name])[:3]
    parts = ", ".join(f"{name} {sizes[name]:.1f}" for name in largest)
    raise BadConfig(
        f"{training.method} training of {training.base_model} needs about {sizes['total']:.1f} GB ({parts})",
        expected=f"at most the {available:.1f} GB of the GPU",
        hint=_what_fits(config, training, available),
    )


def _what_fits(config: Any, training: Training, available: float) -> str:
    """Changes by themselves small, cheapest in speed first, with what each would need."""
    steps: list[dict[str, Any]] = [
        {"batch_size": 1},
        {"batch_size": 1, "gradient_checkpointing": True},
        {"batch_size": 1, "gradient_checkpointing": True, "method": "lora"},
        {"batch_size": 1, "gradient_checkpointing": True, "method": "qlora"},
    ]
    for step in steps:
        changed = training.model_copy(update=step)
        total = memory(count_parameters(config, changed, False), config, changed, gpu=True)["total"]
        if total <= available:
            settings = ", ".join(f"{name}: {str(value).lower()}" for name, value in step.items())
            return f"{settings} (about {total:.1f} GB)"
    return "a larger GPU, a smaller base model, or a shorter `max_length`"
