"""Parameters and memory, counted on the meta device: nothing is loaded, an 8-billion model takes a second.

Sources of the constants: NF4 with double quantisation keeps 4 bits and one 8-bit scale for every 64 weights, and a
32-bit one for every 256 of those (Dettmers et al. 2023); 8-bit optimizers quantise tensors of 4,096 elements and more
(bitsandbytes). Activations are counted from the tensors a decoder layer saves and then doubled: a public measurement of
Llama-3.1-8B (71 GiB at 4,096 tokens on one H100) is about twice what the count gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from contract.config.finetune import Lora, Training
from finetune.adapters import adapted_layers

GB = 1e9
NF4_BYTES = 0.5 + (1 + 4 / 256) / 64
QUANTISED_STATE = 4_096
ACTIVATION_FACTOR = 2.0
HEAD_TILE = 4_096 * 32_768 * 8
"""The fused head holds scores of at most this many (tokens x vocabulary), with their gradients, in float32."""
CONTEXT_GB = 1.0

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


def memory(parameters: Parameters, config: Any, training: Training, gpu: bool) -> dict[str, float]:
    """Peak memory of a training by part, in GB."""
    width = 2 if gpu else 4
    tokens = training.batch_size * training.max_length
    parts = {
        "weights": _weights(parameters, training, width),
        "adapter": parameters.adapter * _adapter_width(training, gpu),
        "gradients": parameters.trainable * (width if training.method == "full" else _adapter_width(training, gpu)),
        "optimizer": float(sum(_state(shape, training.optimizer) for shape in parameters.trainable_shapes)),
        "activations": activation_bytes(config, training, tokens, width),
        "attention_mask": tokens**2 * width if training.packing else 0,
        "logits": min(tokens * config.vocab_size * 8, HEAD_TILE),
    }
    sizes = {name: size / GB for name, size in parts.items()} | {"context": CONTEXT_GB if gpu else 0.0}
    return sizes | {"total": sum(sizes.values())}


def activation_bytes(config: Any, training: Training, tokens: int, width: int) -> float:
    """What the forward pass keeps for the backward pass.

    A layer saves about ten tensors of the hidden size, four of the keys and values, four of the inner size. With
    checkpointing each layer keeps its input, and one layer at a time is whole.
    """
    hidden, layers = config.hidden_size, config.num_hidden_layers
    heads = config.num_attention_heads
    keys = hidden // heads * (getattr(config, "num_key_value_heads", None) or heads)
    inner = getattr(config, "intermediate_size", None) or 4 * hidden
    layer = width * (10 * hidden + 4 * keys + 4 * inner)
    kept = layers * width * hidden + layer if training.gradient_checkpointing else layers * layer
    return float(ACTIVATION_FACTOR * tokens * kept)


def _weights(parameters: Parameters, training: Training, width: int) -> float:
    if training.method != "qlora":
        return parameters.base * width
    return parameters.linear * NF4_BYTES + (parameters.base - parameters.linear) * width


def _adapter_width(training: Training, gpu: bool) -> int:
    """PEFT keeps adapters on a bfloat16 base in float32; TRL casts those on a 4-bit base to bfloat16."""
    return 2 if training.method == "qlora" else 4


def _adapter_shapes(weight: Any, lora: Lora) -> Sequence[Shape]:
    magnitude = [(weight.shape[0],)] if lora.dora else []
    return (lora.rank, weight.shape[1]), (weight.shape[0], lora.rank), *magnitude


def _state(shape: Shape, optimizer: str) -> int:
    """Bytes of optimizer state for one tensor: two numbers for each element, or a row and a column of them."""
    elements = prod(shape)
    if optimizer == "adafactor":
        return 4 * sum(shape)
    if optimizer == "adamw_torch" or elements < QUANTISED_STATE:
        return 8 * elements
    return 2 * elements
