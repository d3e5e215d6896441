"""TRL's SFTTrainer, fed with rows that are already tokens and labels, so that nothing is changed on the way."""

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset as Rows
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from contract.config.finetune import TrainConfig
from finetune.adapters import adapter_config
from finetune.processes import ready

LOADERS = 2


def make_trainer(
    model: Any,
    tokenizer: Any,
    config: TrainConfig,
    rows: tuple[Rows, Rows],
    added_tokens: bool,
    folder: Path,
    callbacks: list[TrainerCallback],
    device: torch.device | None = None,
) -> SFTTrainer:
    """A trainer over train and test rows as `finetune.rows` has them, that keeps its checkpoints in `folder`.

    It computes on `device`; None is where the model is, which is not yet so of one that is to be split.
    """
    training = config.training
    if training.early_stopping:
        callbacks = [*callbacks, EarlyStoppingCallback(training.early_stopping)]
    args = arguments(config, device or model.device, folder)
    ready(args)
    trainer = SFTTrainer(
        model=model,
        args=args,
        train_dataset=rows[0],
        eval_dataset=rows[1],
        processing_class=tokenizer,
        peft_config=None if training.method == "full" else adapter_config(training, model, added_tokens),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)  # it prints to standard output, which belongs to the result
    return trainer


def arguments(config: TrainConfig, device: torch.device, folder: Path) -> SFTConfig:
    """The recipe's settings as the trainer's; what is not said here has no default that could change silently.

    Rows come tokenised, cut and packed, so the trainer prepares nothing; `packing` still tells it to keep the samples
    of a row apart. On a GPU two processes make the next batches while one is computed.
    """
    training = config.training
    gpu = device.type == "cuda"
    return SFTConfig(
        output_dir=str(folder),
        packing=training.packing,
        packing_strategy="bfd",
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=training.max_length,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=training.batch_size,
        gradient_accumulation_steps=training.accumulation // training.processes,
        num_train_epochs=training.epochs,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.schedule if training.schedule != "constant" else "constant_with_warmup",
        warmup_steps=training.warmup_steps,
        optim=training.optimizer,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        neftune_noise_alpha=training.neftune or None,
        gradient_checkpointing=training.checkpointing,
        torch_compile=training.compile,
        seed=training.seed,
        bf16=gpu,
        use_cpu=not gpu,
        logging_steps=1,
        logging_first_step=True,
        eval_strategy="steps",
        eval_steps=config.eval_every,
        save_strategy="steps",
        save_steps=config.save_every,
        save_total_limit=2,
        load_best_model_at_end=bool(training.early_stopping),
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        report_to=[],
        disable_tqdm=True,
        dataloader_num_workers=LOADERS if gpu else 0,
        dataloader_persistent_workers=gpu,
    )
