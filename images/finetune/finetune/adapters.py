"""Which adapters a model gets: plan counts and tries the very ones that train then makes."""

from collections.abc import Sequence
from typing import Any

from peft import LoraConfig
from torch.nn import Linear
from transformers.pytorch_utils import Conv1D

from contract.config.finetune import Training
from contract.failures import BadConfig


def adapter_config(training: Training, model: Any, added_tokens: bool) -> LoraConfig:
    """Adapters on linear layers; where the template brought new tokens, embedding and head are trained whole.

    Raises `BadConfig` where the recipe names a layer that the model does not have.
    """
    lora = training.lora
    _check_names(lora.target_modules, model)
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        use_rslora=lora.rslora,
        use_dora=lora.dora,
        target_modules=list(lora.target_modules) or "all-linear",
        modules_to_save=embedding_names(model) if added_tokens else None,
        task_type="CAUSAL_LM",
    )


def embedding_names(model: Any) -> list[str]:
    """The names of input embedding and output head, which differ by architecture."""
    wanted = {id(model.get_input_embeddings()), id(model.get_output_embeddings())}
    return [name.rpartition(".")[2] for name, module in model.named_modules() if id(module) in wanted]


def adapted_layers(training: Training, model: Any) -> list[Any]:
    """The layers that get adapters: those that the recipe names, or all linear ones but the head."""
    wanted = training.lora.target_modules
    return [module for name, module in _linear(model) if not wanted or name in wanted]


def _check_names(wanted: Sequence[str], model: Any) -> None:
    there = sorted({name for name, _ in _linear(model)})
    unknown = sorted(set(wanted) - set(there))
    if unknown:
        raise BadConfig(
            f"`lora.target_modules` names {', '.join(unknown)}",
            expected=f"linear layers of this model: {', '.join(there)}",
            where="training.lora",
        )


def _linear(model: Any) -> list[tuple[str, Any]]:
    head = model.get_output_embeddings()
    named = ((name.rpartition(".")[2], module) for name, module in model.named_modules())
    return [(name, module) for name, module in named if isinstance(module, Linear | Conv1D) and module is not head]
