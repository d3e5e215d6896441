"""Ways to train the same rows, for bench_train_gpu.py: train's own, and SFTTrainer as it comes."""

import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoConfig, AutoTokenizer, PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from contract.config.finetune import Lora, PlanConfig, TrainConfig, Training
from finetune.model import load_model, working_dtype
from finetune.plan.fastest import choose_path
from finetune.plan.fit import count, gpu_memory
from finetune.plan.memory import GB
from finetune.rows import open_rows, rows_file

NEVER = 1_000_000
OURS = {"LoRA r=16": ("lora", 16), "LoRA r=32": ("lora", 32), "QLoRA r=16": ("qlora", 16)}
THEIRS = {"TRL, LoRA r=16": False, "TRL packed, LoRA r=16": True}
WAYS = (*OURS, *THEIRS)


@dataclass(frozen=True)
class Setting:
    """What all ways share: where base, tokenizer and rows are, and how much is trained in how many steps."""

    folder: Path
    length: int
    batch: int
    steps: int
    compile: bool
    device: torch.device


class Clock(TrainerCallback):
    """When each step ended, with all that the GPU was given done, and the tokens trained until then."""

    def __init__(self) -> None:
        self.trainer: Any = None
        self.ends: list[tuple[float, float]] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append((time.perf_counter(), float(self.trainer._total_train_tokens)))

    def rates(self, warm: int) -> tuple[float, float]:
        """Tokens per second over all steps after so many, and of the median step."""
        timed = self.ends[warm - 1 :]
        steps = [(after - before) / (end - start) for (start, before), (end, after) in pairwise(timed)]
        return (timed[-1][1] - timed[0][1]) / (timed[-1][0] - timed[0][0]), median(steps)


def train(way: str, setting: Setting, warm: int) -> dict[str, Any]:
    """Train; returns tokens per second without padding, the peak of memory, and what was chosen."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    trainer, chosen = _ours(way, setting) if way in OURS else (_theirs(way, setting), "its defaults")
    clock = Clock()
    clock.trainer = trainer
    trainer.add_callback(clock)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    peak = torch.cuda.max_memory_allocated() / GB if torch.cuda.is_available() else None
    trained = trainer.model.num_parameters(only_trainable=True)
    rate, middle = clock.rates(warm)
    return {"rate": rate, "median": middle, "peak": peak, "trained": trained, "chosen": chosen}


def _ours(way: str, setting: Setting) -> tuple[Any, str]:
    """As plan settles it and train does it."""
    from finetune.trainer import make_trainer

    method, rank = OURS[way]
    training = Training(
        method=method, lora=Lora(rank=rank, alpha=rank), max_length=setting.length, batch_size=setting.batch,
        accumulation=1, epochs=1, optimizer="adamw_torch", compile=setting.compile,
    )  # fmt: skip
    config = AutoConfig.from_pretrained(setting.folder)
    counted = count(config, training, new_tokens=False, gpu=setting.device.type == "cuda")
    path = choose_path(config, counted, training, setting.device, gpu_memory(PlanConfig(), setting.device))
    tokenizer = AutoTokenizer.from_pretrained(setting.folder)
    dtype = working_dtype(setting.device)
    model = load_model(setting.folder, tokenizer, dtype, setting.device, method == "qlora", path.attention)
    told = TrainConfig(training=path.settled(training), eval_every=NEVER, save_every=NEVER)
    rows = open_rows(setting.folder / rows_file("train")).select(range(setting.batch * setting.steps))
    trainer = make_trainer(model, tokenizer, told, (rows, rows.select([0])), False, setting.folder / "out", [])
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    checkpointing = "with" if path.gradient_checkpointing else "without"
    return trainer, f"{path.attention}, {checkpointing} checkpointing"


def _theirs(way: str, setting: Setting) -> Any:
    """With the defaults of SFTTrainer: but for the length, the adapters' place, and where it says so packing."""
    packed = THEIRS[way]
    batch = {"per_device_train_batch_size": setting.batch} if packed else {}
    cpu = {} if setting.device.type == "cuda" else {"use_cpu": True, "bf16": False}
    return SFTTrainer(
        model=str(setting.folder),
        args=SFTConfig(
            output_dir=str(setting.folder / "out"), max_length=setting.length, max_steps=setting.steps,
            packing=packed, save_strategy="no", disable_tqdm=True, **batch, **cpu,
        ),
        train_dataset=Dataset.from_file(str(setting.folder / "samples.arrow")),
        processing_class=AutoTokenizer.from_pretrained(setting.folder),
        peft_config=LoraConfig(r=16, target_modules="all-linear", task_type="CAUSAL_LM"),
    )  # fmt: skip
