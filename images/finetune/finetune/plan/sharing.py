"""What several processes split, chosen by the memory of one GPU, and what each number of GPUs would need."""

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from contract.config.finetune import Training
from contract.failures import BadConfig
from finetune.plan.fit import Counted

NUMBERS = (1, 2, 4, 8)
SPLIT = ("fsdp", "deepspeed")


@dataclass(frozen=True)
class Choice:
    """How many processes there are, what they split (`none`, `fsdp`, `deepspeed`), and the reason in a sentence."""

    processes: int
    sharding: str
    reason: str


@dataclass(frozen=True)
class Need:
    """Peak memory of each GPU (GB) with so many of them; `fits` is None where no GPU is planned for."""

    gpus: int
    sharding: str
    gigabytes: float
    fits: bool | None


def choose(counted: Counted, training: Training, available: float | None) -> Choice:
    """What the recipe says; for `auto` whole copies where one fits the GPU, else FSDP2."""
    if training.processes == 1:
        return Choice(1, "none", "one process")
    if training.sharding != "auto":
        return Choice(training.processes, training.sharding, f"the recipe says `sharding: {training.sharding}`")
    if available is None:
        return Choice(training.processes, "none", "no GPU to plan for, whose memory would have to suffice")
    copy = needs(counted, training, training.processes, "none")
    if copy <= available:
        return Choice(
            training.processes, "none", f"a whole copy takes {copy:.1f} GB of the {available:.1f} GB of a GPU"
        )
    reason = f"a whole copy would take {copy:.1f} GB, more than the {available:.1f} GB of a GPU"
    return Choice(training.processes, "fsdp", reason)


def settled(training: Training, choice: Choice) -> Training:
    """The training with its choice made."""
    return training.model_copy(update={"sharding": choice.sharding})


def needs(counted: Counted, training: Training, processes: int, sharding: str) -> float:
    """Peak memory of each GPU (GB)."""
    return counted.sizes(training.model_copy(update={"processes": processes, "sharding": sharding}))["total"]


def table(counted: Counted, training: Training, available: float | None) -> list[dict[str, Any]]:
    """Copies and split weights on one, two, four and eight GPUs; the optimizer is one that can be split."""
    dense = training.model_copy(update={"optimizer": "adamw_torch"})
    found = [Need(1, "none", gigabytes := needs(counted, training, 1, "none"), _fits(gigabytes, available))]
    for number in NUMBERS[1:]:
        for sharding, variant in (("none", training), ("fsdp", dense)):
            gigabytes = needs(counted, variant, number, sharding)
            found.append(Need(number, sharding, gigabytes, _fits(gigabytes, available)))
    return [asdict(need) for need in found]


def check_choice(choice: Choice, training: Training, on_cpu: bool, gpus: int | None) -> None:
    """Raises `BadConfig` where there are fewer GPUs than processes (`gpus` is None where that is not known, or on a
    CPU), or where what is to be split cannot be."""
    if gpus is not None and gpus < choice.processes:
        raise BadConfig(
            f"`training.processes` is {choice.processes} but this machine has {gpus} GPU{'s' * (gpus != 1)}",
            expected="a GPU for each process",
            hint=f"`processes: {gpus}`, or more GPUs",
        )
    if choice.sharding not in SPLIT:
        return
    if training.optimizer != "adamw_torch":
        raise BadConfig(
            f"`sharding: {choice.sharding}` with `optimizer: {training.optimizer}` ({choice.reason})",
            expected="`optimizer: adamw_torch`, the only one whose state can be split",
            hint="`optimizer: adamw_torch`, whose state each GPU holds a share of; or `sharding: none`",
        )
    if choice.sharding == "deepspeed":
        _check_deepspeed(training)
    elif training.method == "qlora" and on_cpu:  # bitsandbytes repacks 4-bit weights for a CPU at an evaluation,
        # and gradients through split ones were measured to be wrong from there on, without an error
        raise BadConfig("`sharding: fsdp` with `method: qlora` on a CPU", expected="GPUs", hint="`sharding: none`")


def check_loading(counted: Counted, training: Training, available: float | None) -> None:
    """Raises `BadConfig` where weights are split only once they are loaded, and the whole does not fit before that."""
    if training.method != "qlora" or training.sharding != "fsdp" or available is None:
        return
    alone = counted.sizes(training.model_copy(update={"processes": 1, "sharding": "none"}))
    whole = alone["weights"] + alone["context"]
    if whole > available:
        raise BadConfig(
            f"the 4-bit weights of {training.base_model} take {whole:.1f} GB, and each GPU loads them whole",
            expected=f"at most the {available:.1f} GB of the GPU",
            hint="`method: lora`, whose base is split while it is loaded; or GPUs with more memory",
        )


def _check_deepspeed(training: Training) -> None:
    if training.method == "qlora":
        raise BadConfig(
            "`sharding: deepspeed` with `method: qlora`",
            expected="weights that are not quantised",
            hint="`sharding: fsdp`, or `method: lora`",
        )
    if importlib.util.find_spec("deepspeed") is None:
        raise BadConfig(
            "`sharding: deepspeed`, which is not installed",
            expected="the package deepspeed, which the image leaves out",
            hint="add `deepspeed` to images/finetune/pyproject.toml, then `make lock` and `make images`; or "
            "`sharding: fsdp`, which needs nothing more",
        )


def _fits(gigabytes: float, available: float | None) -> bool | None:
    return None if available is None else gigabytes <= available


def as_rows(found: Sequence[dict[str, Any]]) -> list[list[Any]]:
    """The table's cells, for people."""
    said, split = {True: "yes", False: "no", None: ""}, {"none": "copies", "fsdp": "split (FSDP2)"}
    return [[n["gpus"], split[n["sharding"]], f"{n['gigabytes']:.3g}", said[n["fits"]]] for n in found]
