"""What the forward pass keeps for the backward pass: counted, not guessed.

The real architecture with its real adapters runs forward over tensors that have shapes but no content, and every tensor
that autograd saves is counted once. Depth is a straight line through one and two layers (of each kind, where layers
alternate), batch a parabola: a packed batch is one long row, whose mask has a cell for each pair of its tokens.

Where an architecture cannot run without content, a formula stands in. It sums what a decoder layer saves, as
Korthikanti et al. (2022, "Reducing Activation Recomputation in Large Transformer Models", section 4.1) do for GPT, with
RMS normalisation in float32, gated inner layers and attention whose scores are never stored.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch._subclasses import FakeTensorMode
from transformers import AutoModelForCausalLM

from contract.config.finetune import Training
from finetune.model import attention_of
from finetune.plan.shrink import layer_kinds, resized

BATCHES = (1, 2, 3)
Curve = tuple[float, float, float]
"""Bytes at a batch of 1, 2 and 3 rows, which is all there is to know of a parabola."""


@dataclass(frozen=True)
class Saved:
    """Bytes kept for the backward pass. `layer` is for one layer, `inputs` what one layer is given, `outside` the rest;
    `counted` is false where the formula stood in."""

    layers: int
    layer: Curve
    inputs: Curve
    outside: Curve
    counted: bool

    def bytes(self, batch: int, checkpointing: bool) -> float:
        """At a batch of so many rows. With checkpointing each layer keeps its input, and one at a time is whole
        (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost")."""
        layer, inputs, outside = (_at(curve, batch) for curve in (self.layer, self.inputs, self.outside))
        return outside + (self.layers * inputs + layer if checkpointing else self.layers * layer)


def count_saved(config: Any, training: Training, gpu: bool) -> Saved:
    """Count what one step of this training keeps, at its own length and for any batch.

    On a GPU weights are bfloat16 under autocast, on a CPU all is float32.
    """
    inputs = tuple(float(batch * training.max_length * config.hidden_size * (2 if gpu else 4)) for batch in BATCHES)
    try:
        kinds = len(layer_kinds(config))
        once, twice = (_curve(resized(config, {}, layers=n), training, gpu) for n in (1, 2))
    except (RuntimeError, NotImplementedError, ValueError, TypeError, AttributeError, ImportError):
        layer = tuple(formula(config, batch * training.max_length, gpu) for batch in BATCHES)
        return Saved(config.num_hidden_layers, layer, inputs, (0.0, 0.0, 0.0), counted=False)  # type: ignore[arg-type]
    layer = tuple((two - one) / kinds for one, two in zip(once, twice, strict=True))
    outside = tuple(2 * one - two for one, two in zip(once, twice, strict=True))
    return Saved(config.num_hidden_layers, layer, inputs, outside, counted=True)  # type: ignore[arg-type]


def formula(config: Any, tokens: int, gpu: bool) -> float:
    """Bytes that one decoder layer keeps: two normalisations of the hidden size in float32; ten tensors of that size
    (what each of six adapted layers reads, and queries, keys, values and the result of attention) and four of the inner
    size in the working precision."""
    hidden, width = config.hidden_size, 2 if gpu else 4
    inner = getattr(config, "intermediate_size", None) or 4 * hidden
    return float(tokens * (8 * hidden + width * (10 * hidden + 4 * inner)))


def _curve(config: Any, training: Training, gpu: bool) -> Curve:
    model = _without_weights(config, training, gpu)
    one, two, three = (_forward(model, training, batch, gpu) for batch in BATCHES)
    return one, two, three


def _without_weights(config: Any, training: Training, gpu: bool) -> Any:
    from peft import get_peft_model  # slow to import: what refuses sooner, may

    from finetune.adapters import adapter_config

    dtype = torch.bfloat16 if gpu else torch.float32
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation=attention_of(config))
        if training.method != "full":
            model = get_peft_model(model, adapter_config(training, model, False))
    return model.train()


def _forward(model: Any, training: Training, batch: int, gpu: bool) -> float:
    """Bytes saved by one forward pass, parameters and what the caller holds anyway left out.

    PEFT keeps adapters on a bfloat16 base in float32; TRL casts those on a 4-bit base to bfloat16.
    """
    rows, length = (1, batch * training.max_length) if training.packing else (batch, training.max_length)
    narrow = gpu and training.method == "qlora"
    saved: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage()._cdata] = tensor  # held, or its address could be given to another
        return tensor

    with FakeTensorMode():
        state = {name: _like(p, torch.bfloat16 if narrow and p.requires_grad else None) for name, p in _tensors(model)}
        batch_of = {
            "input_ids": torch.zeros(rows, length, dtype=torch.long),
            "position_ids": torch.arange(length).expand(rows, length),
        }
        held = {tensor.untyped_storage()._cdata for tensor in (*state.values(), *batch_of.values())}
        with (
            torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
            torch.autocast("cpu", dtype=torch.bfloat16, enabled=gpu),
        ):
            out = torch.func.functional_call(model, state, kwargs=batch_of | {"use_cache": False, "logits_to_keep": 1})
        del out
        return float(sum(t.untyped_storage().nbytes() for key, t in saved.items() if key not in held))


def _tensors(model: Any) -> list[tuple[str, torch.Tensor]]:
    return [*model.named_parameters(), *model.named_buffers()]


def _like(tensor: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    return torch.empty(tensor.shape, dtype=dtype or tensor.dtype, requires_grad=tensor.requires_grad)


def _at(curve: Curve, batch: int) -> float:
    """The parabola through the values at 1, 2 and 3 (Lagrange)."""
    one, two, three = curve
    n = batch
    return one * (n - 2) * (n - 3) / 2 - two * (n - 1) * (n - 3) + three * (n - 1) * (n - 2) / 2
