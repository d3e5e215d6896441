"""Can samples that share a packed row see each other? Found out on a shrunken copy of the very architecture.

Packing is safe only where the model derives its attention mask from position ids. Llama, Mistral, Qwen, Phi-3, Gemma
and GPT-2 do; OPT, BLOOM, Falcon, MPT, Mamba and gpt-oss do not, and neither they nor the trainer say so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoModelForCausalLM

from contract.failures import BadInput
from finetune.model import attention_of
from finetune.plan.shrink import layer_kinds, resized

Batch = dict[str, Any]
Pack = Callable[..., Batch]
CPU = torch.device("cpu")
LARGEST_LEAK = 1e-5
LARGEST_GRADIENT_DIFFERENCE = 1e-5
"""Relative; rounding in float32 gives some 2e-7, an architecture that leaks gives 0.1 and more."""
LARGEST_IN_BFLOAT16 = 0.05
"""The same for kernels that take nothing wider, where rounding gives some 0.01."""
FIRST, SECOND = 23, 17
VOCABULARY = 128
SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "n_embd": 64,
    "word_embed_proj_dim": 64,
    "intermediate_size": 96,
    "n_inner": 96,
    "ffn_dim": 96,
    "num_attention_heads": 4,
    "n_head": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "sliding_window": 8,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


@dataclass(frozen=True)
class Isolation:
    """How far a sample's logits moved when its neighbour in the row was replaced, and how far the gradient of a packed
    row is from that of the same samples unpacked (relative to its norm)."""

    leak: float
    gradient_difference: float
    largest_difference: float = LARGEST_GRADIENT_DIFFERENCE

    @property
    def holds(self) -> bool:
        """Whether packing changes nothing."""
        return self.leak <= LARGEST_LEAK and self.gradient_difference <= self.largest_difference


def check_isolation(config: Any, attention: str = "", device: torch.device = CPU) -> Isolation:
    """Perturb one sample, observe the other; then compare gradients. Raises `BadInput` when packing would leak.

    Without an `attention` of its own, or with PyTorch's, it is tried on the CPU in float32; another kernel where it
    runs, in bfloat16.
    """
    if attention in ("", attention_of(config)):
        return _checked(config, small_model(config), LARGEST_GRADIENT_DIFFERENCE)
    return _checked(config, small_model(config, attention, torch.bfloat16).to(device), LARGEST_IN_BFLOAT16)


def _checked(config: Any, model: Any, largest: float) -> Isolation:
    try:
        isolation = Isolation(leak(model), gradient_difference(model), largest)
    except (ValueError, RuntimeError, TypeError, NotImplementedError) as error:
        raise _unproven(config, error) from None
    if not isolation.holds:
        raise BadInput(
            f"samples packed into one row see each other on {config.model_type}: a neighbour moves a logit by "
            f"{isolation.leak:.2g}, and gradients differ by {isolation.gradient_difference:.2g}",
            expected=f"at most {LARGEST_LEAK:g} and {largest:g}",
            hint="set `training.packing: false` for this architecture",
        )
    return isolation


def small_model(config: Any, attention: str = "", dtype: torch.dtype = torch.float32) -> Any:
    """The architecture with a few small layers and random weights.

    Raises `BadInput` where it cannot be shrunk, so that nothing can be proven.
    """
    torch.manual_seed(0)
    try:
        small = resized(config, SMALL | {"vocab_size": VOCABULARY}, layers=2 if len(layer_kinds(config)) == 1 else 1)
        small.dtype = dtype
        return AutoModelForCausalLM.from_config(small, attn_implementation=attention or attention_of(config)).eval()
    except (StrictDataclassError, ValueError, TypeError, RuntimeError, ImportError, AttributeError) as error:
        raise _unproven(config, error) from None


def _unproven(config: Any, error: Exception) -> BadInput:
    return BadInput(
        f"packing cannot be proven safe on {config.model_type}: {str(error).partition(chr(10))[0]}",
        hint="set `training.packing: false`",
    )


def packed(*samples: list[int]) -> Batch:
    """Exactly what the trainer feeds its model: its own collator, without a mask, and no cache."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling  # slow to import: what refuses sooner, may

    ids = [token for sample in samples for token in sample]
    row = {"input_ids": ids, "labels": ids, "seq_lengths": [len(sample) for sample in samples]}
    return dict(DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)([row])) | {"use_cache": False}


def leak(model: Any, pack: Pack = packed) -> float:
    """How far a logit of the second sample moves when all of the first is replaced."""
    first, other, second = _samples()
    with torch.no_grad():
        seen = [model(**_on(model, pack(neighbour, second))).logits[0, FIRST:] for neighbour in (first, other)]
    return float((seen[0] - seen[1]).abs().max())


def gradient_difference(model: Any, pack: Pack = packed) -> float:
    """How far the gradient of two samples in one row is from that of each in its own, relative to its norm."""
    first, _, second = _samples()
    together = _gradient(model, [pack(first, second)])
    apart = _gradient(model, [packed(first), packed(second)])
    return float((together - apart).norm() / apart.norm())


def _samples() -> tuple[list[int], list[int], list[int]]:
    """Two different first samples of one length, and a second one."""
    generator = torch.Generator().manual_seed(0)
    draw = torch.randint(3, VOCABULARY, (2 * FIRST + SECOND,), generator=generator).tolist()
    return draw[:FIRST], draw[FIRST : 2 * FIRST], draw[2 * FIRST :]


def _gradient(model: Any, batches: list[dict[str, Any]]) -> torch.Tensor:
    """The gradient of the summed loss over all batches, as one vector."""
    model.zero_grad()
    for batch in (_on(model, batch) for batch in batches):
        labels = batch.pop("labels")
        logits = model(**batch).logits
        torch.nn.functional.cross_entropy(logits[0, :-1], labels[0, 1:], ignore_index=-100, reduction="sum").backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def _on(model: Any, batch: Batch) -> Batch:
    """A batch where its model is."""
    return {name: value.to(model.device) if torch.is_tensor(value) else value for name, value in batch.items()}
