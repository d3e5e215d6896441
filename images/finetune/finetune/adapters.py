"""Which adapters a model gets: plan counts and tries the very ones that train then makes."""

from typing import Any

from peft import LoraConfig

from contract.config.finetune import Training


def adapter_config(training: Training, model: Any, added_tokens: bool) -> LoraConfig:
    """Adapters on all linear layers; where the template brought new tokens, embedding and head are trained whole."""
    return LoraConfig(
        r=training.lora.rank,
        lora_alpha=training.lora.alpha,
        lora_dropout=training.lora.dropout,
        target_modules="all-linear",
        modules_to_save=embedding_names(model) if added_tokens else None,
        task_type="CAUSAL_LM",
    )


def embedding_names(model: Any) -> list[str]:
    """The names of input embedding and output head, which differ by architecture."""
    wanted = {id(model.get_input_embeddings()), id(model.get_output_embeddings())}
    return [name.rpartition(".")[2] for name, module in model.named_modules() if id(module) in wanted]
