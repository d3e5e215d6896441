"""Does it fit the GPU, with which batch, and what would fit instead?"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, get_args

import torch

from contract.config.finetune import Optimizer, PlanConfig, Training
from contract.config.gpus import GPU_MEMORY_GB
from contract.failures import BadConfig
from finetune.path import with_checkpointing
from finetune.plan.activations import Saved, count_saved
from finetune.plan.memory import GB, Sizes, memory, shares_of
from finetune.plan.sizes import Parameters, count_parameters

METHODS = ("full", "lora", "qlora")
LARGEST_BATCH = 1_024


@dataclass(frozen=True)
class Counted:
    """All methods of a training, counted once; any batch and optimizer is then arithmetic."""

    parameters: dict[str, Parameters]
    saved: dict[str, Saved]
    vocabulary: int
    gpu: bool

    def sizes(self, training: Training) -> Sizes:
        """Memory of a training by part (GB)."""
        method = training.method
        return memory(self.parameters[method], self.saved[method], self.vocabulary, training, self.gpu)


@dataclass(frozen=True)
class Variant:
    """One way to train, its peak (GB), and the largest batch that fits the GPU planned for: 0 where none does, None
    where there is no GPU."""

    method: str
    optimizer: str
    gradient_checkpointing: bool
    gigabytes: float
    largest_batch: int | None


def count(config: Any, training: Training, new_tokens: bool, gpu: bool) -> Counted:
    """Count parameters and activations of all methods."""
    each = {method: training.model_copy(update={"method": method}) for method in METHODS}
    return Counted(
        parameters={method: count_parameters(config, variant, new_tokens) for method, variant in each.items()},
        saved={method: count_saved(config, variant, gpu) for method, variant in each.items()},
        vocabulary=config.vocab_size,
        gpu=gpu,
    )


def gpu_memory(config: PlanConfig, device: torch.device) -> float | None:
    """Memory of the GPU to plan for (GB): the number given, else the GPU named, else the one present, else none."""
    if config.gpu_memory_gb is not None:
        return config.gpu_memory_gb
    if config.gpu is not None:
        return GPU_MEMORY_GB[config.gpu]
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory) / GB
    return None


def variants(counted: Counted, training: Training, available: float | None) -> list[dict[str, Any]]:
    """Every method with every optimizer, with and without gradient checkpointing, at the recipe's batch and length."""
    optimizers = get_args(Optimizer) if shares_of(training) == 1 else (training.optimizer,)
    return [
        asdict(_variant(counted, _as(training, *chosen), available))
        for chosen in product(METHODS, optimizers, (False, True))
    ]


def largest_batch(price: Callable[[int], float], available: float) -> int:
    """The largest batch, up to 1,024, whose price is within what there is; 0 where not even one row is.

    `price` must not fall as the batch grows.
    """
    low, high = 0, LARGEST_BATCH
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if price(middle) <= available else (low, middle - 1)
    return low


def check_fit(counted: Counted, training: Training, available: float | None) -> None:
    """Raises `BadConfig` when the estimate exceeds the memory there is."""
    sizes = counted.sizes(training)
    if available is None or sizes["total"] <= available:
        return
    largest = sorted((name for name in sizes if name not in ("total", "paged")), key=lambda name: -sizes[name])[:3]
    parts = ", ".join(f"{name} {sizes[name]:.1f}" for name in largest)
    raise BadConfig(
        f"{training.method} training of {training.base_model} needs about {sizes['total']:.1f} GB{_each(training)} "
        f"({parts})",
        expected=f"at most the {available:.1f} GB of the GPU",
        hint=_what_fits(counted, training, available),
    )


def _each(training: Training) -> str:
    return f" on each of {training.processes} GPUs" if training.processes > 1 else ""


def _variant(counted: Counted, training: Training, available: float | None) -> Variant:
    fits = None if available is None else largest_batch(lambda n: _total(counted, training, batch_size=n), available)
    return Variant(
        training.method,
        training.optimizer,
        training.checkpointing,
        counted.sizes(training)["total"],
        fits,
    )


def _as(training: Training, method: str, optimizer: str, checkpointing: bool) -> Training:
    changed = training.model_copy(update={"method": method, "optimizer": optimizer})
    return with_checkpointing(changed, checkpointing)


def _total(counted: Counted, training: Training, **changes: Any) -> float:
    return counted.sizes(training.model_copy(update=changes))["total"]


def _what_fits(counted: Counted, training: Training, available: float) -> str:
    """The change that costs least speed and fits: a smaller batch, then checkpointing, then a lighter method."""
    methods = METHODS[METHODS.index(training.method) :]
    for method, checkpointing in ((method, flag) for method in methods for flag in (False, True)):
        words = "always" if checkpointing or training.checkpointing else training.gradient_checkpointing
        kept = {"method": method, "gradient_checkpointing": words}
        fits = largest_batch(lambda n, kept=kept: _total(counted, training, batch_size=n, **kept), available)  # type: ignore[misc]
        if fits:
            changes = {"batch_size": min(fits, training.batch_size)} | kept
            settings = ", ".join(
                f"{name}: {str(value).lower()}" for name, value in changes.items() if value != getattr(training, name)
            )
            return f"{settings} (about {_total(counted, training, **changes):.1f} GB)"
    more = ", or more `processes`, which split what one GPU cannot hold" if shares_of(training) == 1 else ""
    return f"a larger GPU, a smaller base model, or a shorter `max_length`{more}"
