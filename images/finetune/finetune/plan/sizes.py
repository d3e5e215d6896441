"""Parameters, counted on the meta device: nothing is loaded, an 8-billion model takes a second."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from contract.config.finetune import Lora, Training
from finetune.adapters import adapted_layers

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Parameters:
    """How many parameters a model has, by part; `linear` are the layers that adapters go on and NF4 compresses."""

    embedding: int
    head: int
    linear: int
    other: int
    adapter: int
    trainable_shapes: tuple[Shape, ...]

    @property
    def base(self) -> int:
        """The base model's."""
        return self.embedding + self.head + self.linear + self.other

    @property
    def trainable(self) -> int:
        """Those that are trained."""
        return sum(prod(shape) for shape in self.trainable_shapes)

    @property
    def trainable_share(self) -> float:
        """Trained ones of all, adapters included."""
        return self.trainable / (self.base + self.adapter)


def meta_model(config: Any) -> Any:
    """The architecture without its weights."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


def count_parameters(config: Any, training: Training, new_tokens: bool) -> Parameters:
    """Count a model's parameters; with `new_tokens`, embedding and head are trained beside the adapters."""
    model = meta_model(config)
    embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear | Conv1D)]
    layers = [module.weight for module in linear if module.weight is not head]
    adapted = [module.weight for module in adapted_layers(training, model)]
    shapes = [shape for weight in adapted for shape in _adapter_shapes(weight, training.lora)]
    total = sum(parameter.numel() for parameter in model.parameters())
    tied = head is embedding
    counted = embedding.numel() + (0 if tied else head.numel()) + sum(weight.numel() for weight in layers)
    if training.method == "full":
        trained, adapter = [tuple(parameter.shape) for parameter in model.parameters()], 0
    else:
        whole = [tuple(embedding.shape)] * (1 if tied else 2) if new_tokens else []
        trained, adapter = [*shapes, *whole], sum(prod(shape) for shape in [*shapes, *whole])
    return Parameters(
        embedding=embedding.numel(),
        head=0 if tied else head.numel(),
        linear=sum(weight.numel() for weight in layers),
        other=total - counted,
        adapter=adapter,
        trainable_shapes=tuple(trained),
    )


def _adapter_shapes(weight: Any, lora: Lora) -> Sequence[Shape]:
    magnitude = [(weight.shape[0],)] if lora.dora else []
    return (lora.rank, weight.shape[1]), (weight.shape[0], lora.rank), *magnitude
