"""Peak memory of a training by part.

What stays: weights, gradients and the optimizer's state. What comes and goes: activations and scores at the end of the
forward pass, or the optimizer's own working space at the step; the larger of the two is the peak.
"""

from math import prod

from contract.config.finetune import Training
from finetune.plan.activations import Saved
from finetune.plan.sizes import Parameters, Shape

GB = 1e9
NF4_BYTES = 0.5 + (1 + 4 / 256) / 64
"""NF4 with double quantisation keeps 4 bits and one 8-bit scale for every 64 weights, and a 32-bit one for every 256 of
those (Dettmers et al. 2023, "QLoRA", section 3)."""
QUANTISED_STATE, PAGED_STATE = 4_096, 100_000
"""bitsandbytes quantises the state of tensors of so many elements and more, and pages that of so many and more."""
STATE_BYTES = 2 * (1 + 4 / 256)
"""8-bit AdamW: two moments of one byte, each with a 32-bit scale for every 256 (Dettmers et al. 2022, "8-bit Optimizers
via Block-wise Quantization")."""
ACTIVATION_FACTOR = 1.7
"""What the allocator and the backward pass's own tensors add to what is counted. From the one public figure: of the
76 GB (71 GiB) measured for LoRA on Llama-3.1-8B at 4,096 tokens a step on an H100, 51 are left without weights,
adapter, context and that stack's unfused scores, where 30 are counted. A probe on the GPU at hand replaces it."""
HEAD_TILE = 4_096 * 32_768 * 8
"""The fused head holds scores of at most this many (tokens x vocabulary), with their gradients, in float32."""
CONTEXT_GB = 1.0
LASTING = ("weights", "gradients", "optimizer", "exchange", "context")
Sizes = dict[str, float]


def memory(parameters: Parameters, saved: Saved, vocabulary: int, training: Training, gpu: bool) -> Sizes:
    """Parts and their peak (`total`) in GB, for each GPU. `paged` is what a paged optimizer may move to the host's
    memory when the GPU's runs out; it is not in the total."""
    width, shares = 2 if gpu else 4, shares_of(training)
    tokens = training.batch_size * training.max_length
    state, paged = _states(parameters, training, width, gpu)
    parts = {
        "weights": _weights(parameters, training, width) / shares,
        "gradients": parameters.trainable * trained_width(training, gpu) / shares,
        "optimizer": state / shares,
        "activations": ACTIVATION_FACTOR * saved.bytes(training.batch_size, training.checkpointing),
        "logits": min(tokens * vocabulary * 8, HEAD_TILE),
        "step": _step(parameters, training, gpu) / shares,
        "exchange": _exchange(parameters, saved.layers, training, width, gpu),
        "context": CONTEXT_GB * GB if gpu else 0.0,
        "paged": paged,
    }
    sizes = {name: size / GB for name, size in parts.items()}
    passing = max(sizes["activations"] + sizes["logits"], sizes["step"])
    return sizes | {"total": sum(sizes[name] for name in LASTING) + passing}


def shares_of(training: Training) -> int:
    """Into how many parts weights, gradients and the optimizer's state are split."""
    return training.processes if training.sharding in ("fsdp", "deepspeed") else 1


def trained_width(training: Training, gpu: bool) -> int:
    """Bytes of a trained parameter. PEFT keeps adapters on a bfloat16 base in float32; TRL casts those on a 4-bit base
    to bfloat16; full training trains the bfloat16 weights themselves, unless they are split: both ways to split them
    train float32 weights and compute with bfloat16 ones."""
    if training.method == "qlora":
        return 2
    whole_in_bfloat16 = training.method == "full" and shares_of(training) == 1
    return 2 if gpu and whole_in_bfloat16 else 4


def _weights(parameters: Parameters, training: Training, width: int) -> float:
    base = float(parameters.base * (trained_width(training, gpu=width == 2) if training.method == "full" else width))
    if training.method == "qlora":
        base = parameters.linear * NF4_BYTES + (parameters.base - parameters.linear) * width
    return base + parameters.adapter * trained_width(training, gpu=width == 2)


def _states(parameters: Parameters, training: Training, width: int, gpu: bool) -> tuple[float, float]:
    """Bytes of optimizer state that must stay, and that may be paged out. On a CPU nothing is paged."""
    stays = pages = 0.0
    for shape in parameters.trainable_shapes:
        size = _state(shape, training.optimizer, trained_width(training, gpu))
        if gpu and training.optimizer.startswith("paged") and prod(shape) >= PAGED_STATE:
            pages += size
        else:
            stays += size
    return stays, pages


def _state(shape: Shape, optimizer: str, width: int) -> float:
    """Bytes of optimizer state for one tensor: PyTorch's AdamW keeps two moments in the parameter's own precision;
    Adafactor a row and a column of float32 (Shazeer and Stern 2018), or all of what has one dimension."""
    elements = prod(shape)
    if optimizer == "adafactor":
        return 4 * (sum(shape[-2:]) * prod(shape[:-2]) if len(shape) > 1 else elements)
    if optimizer == "adamw_torch":
        return 2 * width * elements
    return STATE_BYTES * elements if elements >= QUANTISED_STATE else 8 * elements


def _step(parameters: Parameters, training: Training, gpu: bool) -> float:
    """Working space of the step: PyTorch's AdamW handles all tensors at once and needs about a copy of what it trains
    on a GPU (its documentation of `foreach`); the others go tensor by tensor, Adafactor through float32 copies."""
    if training.optimizer == "adamw_torch":
        return float(parameters.trainable * trained_width(training, gpu)) if gpu else 0.0
    largest = max(prod(shape) for shape in parameters.trainable_shapes)
    return float(3 * 4 * largest) if training.optimizer == "adafactor" else 0.0


def _exchange(parameters: Parameters, layers: int, training: Training, width: int, gpu: bool) -> float:
    """What processes hold to tell each other. Copies keep the gradients a second time, in the buckets that are averaged
    (Li et al. 2020, "PyTorch Distributed"). Of split weights two layers are whole at once, the one at work and the one
    fetched ahead (Zhao et al. 2023, "PyTorch FSDP"), and so are embedding and head; where all is trained, so is one
    layer's gradient."""
    if training.processes == 1:
        return 0.0
    if shares_of(training) == 1:
        return float(parameters.trainable * trained_width(training, gpu))
    linear = NF4_BYTES if training.method == "qlora" else width
    layer = parameters.linear / layers * linear
    return (3 if training.method == "full" else 2) * layer + (parameters.embedding + parameters.head) * width
