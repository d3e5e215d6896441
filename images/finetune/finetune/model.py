"""Loading models, the same way in every stage: device, precision, adapters, new tokens."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
import transformers
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM, BitsAndBytesConfig

from contract.failures import BadConfig, BadInput, RemoteTrouble
from finetune.base import load_config

SHOWN = 3
"""Tensors that a message names."""


def quiet() -> None:
    """No progress bars and no advice on standard error: the stage's log says what a person needs."""
    for library in ("transformers", "torch.distributed"):
        warnings.filterwarnings("ignore", category=FutureWarning, module=library)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")  # it is imported later, and then sets its level anew
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


class Place(Protocol):
    """The part of a config that says where to compute."""

    @property
    def device(self) -> str:
        """`auto`, `cpu` or `gpu`."""

    @property
    def cpu_threads(self) -> int:
        """Threads on a CPU."""


def pick_device(wanted: Place) -> torch.device:
    """The device to compute on; on a CPU the number of threads is fixed, since it decides how sums are rounded.

    Raises `BadConfig` when a GPU is asked for and there is none.
    """
    if wanted.device == "gpu" and not torch.cuda.is_available():
        raise BadConfig(
            "`device` is gpu but this machine has no usable GPU",
            expected="an NVIDIA GPU with its driver, given to the container",
            hint="`device: auto` or `cpu`, or the GPU override of the stack",
        )
    if wanted.device == "cpu" or not torch.cuda.is_available():
        torch.set_num_threads(wanted.cpu_threads)
        return torch.device("cpu")
    return torch.device("cuda")


def working_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 on a GPU, float32 on a CPU."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32


def load_model(
    folder: Path,
    tokenizer: Any,
    dtype: torch.dtype,
    device: torch.device,
    four_bit: bool = False,
    attention: str | None = None,
    split: bool = False,
) -> transformers.PreTrainedModel:
    """A model from a folder, with an embedding row for every token of the tokenizer, and PyTorch's own attention unless
    another is named.

    One that is `split` among processes is left to the trainer to be brought to their GPUs, share by share; quantised
    weights are made on the GPU, and kept as numbers that can be split.
    Raises `BadInput` when the folder holds no such model or lacks some of its weights, `RemoteTrouble` when memory does
    not suffice.
    """
    options: dict[str, Any] = {} if split and not four_bit else {"device_map": {"": device}}
    if four_bit:
        options["quantization_config"] = _nf4(dtype, storage=dtype if split else torch.uint8)
    model = _read(folder, dtype, options | {"attn_implementation": attention or attention_of(load_config(folder))})
    add_rows(model, len(tokenizer))
    settle_end_tokens(model, tokenizer)
    return model


def _read(folder: Path, dtype: torch.dtype, options: dict[str, Any]) -> transformers.PreTrainedModel:
    """The model as its files have it. What they lack, transformers fills with random numbers and says so in a log that
    nobody reads: here it is refused."""
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
    except torch.OutOfMemoryError as error:
        raise RemoteTrouble(f"the model does not fit: {error}", hint="`method: qlora`, or a larger GPU") from None
    except (OSError, ValueError, ImportError) as error:
        raise BadInput(f"no model can be loaded: {str(error).partition(chr(10))[0]}", where=str(folder)) from None
    misshapen = {name for name, *_ in report["mismatched_keys"]}
    for what, names in (("lack", set(report["missing_keys"]) - misshapen), ("have another shape of", misshapen)):
        if names:
            raise BadInput(
                f"the weights {what} {', '.join(sorted(names)[:SHOWN])}{' ...' if len(names) > SHOWN else ''}: "
                f"{len(names)} tensors would be random",
                expected=f"all weights of a {type(model).__name__}, as its config.json describes it",
                where=str(folder),
                hint="download or save the base model again",
            )
    return model


def attention_of(config: Any) -> str:
    """PyTorch's own attention, which needs no package beyond it; the plain one for architectures that lack it."""
    architecture = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    return "sdpa" if getattr(architecture, "_supports_sdpa", False) else "eager"


def cast_weights(model: Any, dtype: torch.dtype) -> None:
    """Cast parameters alone. `model.to` would round buffers too, and rotary frequencies are float32 when read back."""
    for parameter in model.parameters():
        if parameter.is_floating_point():  # a quantised weight is bytes
            parameter.data = parameter.data.to(dtype)
    model.config.dtype = dtype


def save_model(model: Any, folder: Path, shard_gb: float = 5, state: dict[str, Any] | None = None) -> None:
    """Write config and weights (`state`, where the model itself holds a share of them).

    safetensors makes files that their owner alone may read; others serve models too.
    """
    model.save_pretrained(folder, max_shard_size=round(shard_gb * 1e9), state_dict=state)
    for path in folder.iterdir():
        path.chmod(0o644)


def add_rows(model: transformers.PreTrainedModel, tokens: int) -> None:
    """Grow the embedding to at least `tokens` rows; new ones start as the mean of the old, which no seed can change."""
    embedding = model.get_input_embeddings()
    old = embedding.weight.shape[0]
    if tokens <= old:
        return
    model.resize_token_embeddings(tokens, mean_resizing=False)
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        with torch.no_grad():
            layer.weight[old:] = layer.weight[:old].float().mean(0).to(layer.weight.dtype)


def settle_end_tokens(model: transformers.PreTrainedModel, tokenizer: Any) -> None:
    """Generation stops at the template's end of turn and at whatever ended the base model's texts; no sampling."""
    config = model.generation_config
    before = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    ends = [tokenizer.eos_token_id, *(token for token in before if token not in (None, tokenizer.eos_token_id))]
    config.eos_token_id = ends if len(ends) > 1 else ends[0]
    config.pad_token_id = tokenizer.pad_token_id
    config.do_sample, config.temperature, config.top_p, config.top_k = False, None, None, None


def generate(model: Any, prompt: list[int], max_new_tokens: int) -> list[int]:
    """The most likely continuation of a prompt, token by token."""
    with evaluating(model), torch.no_grad():
        ids = torch.tensor([prompt], device=model.device)
        out = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=max_new_tokens, do_sample=False
        )
    return list(out[0, len(prompt) :].tolist())


def logits(model: Any, ids: list[int]) -> torch.Tensor:
    """Logits of one sequence, of shape `(tokens, vocabulary)`, in float32 on the CPU."""
    with evaluating(model), torch.no_grad():
        batch = torch.tensor([ids], device=model.device)
        scores: torch.Tensor = model(input_ids=batch, use_cache=False).logits[0].float().cpu()
    return scores


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Evaluation mode for the time of a block."""
    was = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was)


def _nf4(dtype: torch.dtype, storage: torch.dtype) -> BitsAndBytesConfig:
    """QLoRA's format (Dettmers et al. 2023): NF4 with its scales quantised a second time."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_quant_storage=storage,
    )
