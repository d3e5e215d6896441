"""plan: what a training will take, and whether it may start."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from contract.config.finetune import Training
from contract.failures import BadInput
from contract.records import Sample
from finetune.base import TINY, base_folder, check_vocabulary, load_config, load_tokenizer
from finetune.chat import dress, encode, parity_problem
from finetune.data import check_kind, encode_rows, read_splits
from finetune.model import pick_device, quiet
from finetune.plan.fit import check_fit, gpu_memory
from finetune.plan.isolation import check_isolation
from finetune.plan.lengths import Lengths, check_lengths, measure
from finetune.plan.sizes import count_parameters, memory
from finetune.plan.view import as_html, as_text
from finetune.tiny import build_tiny
from finetune.trained import BASE, TOKENIZER
from stagekit.job import Job

SHOWN = 3
"""Samples shown with their mask."""


def run(job: Job) -> None:
    """Reads the published samples; writes the tokenizer, the tiny base where asked for, and the plan.

    Refuses with the numbers what does not hold.
    """
    quiet()
    training = job.config.training
    device = pick_device(training)
    check_kind(job.input("samples"), training)
    train, test = read_splits(job.input("samples"))
    folder = _base(job, training, train)
    tokenizer, config = load_tokenizer(folder), load_config(folder)
    added = dress(tokenizer, training.template, training.pad_token)
    check_vocabulary(tokenizer, config, len(added), training.base_model)
    plan: dict[str, Any] = {"architecture": config.model_type, "added_tokens": added}
    plan |= _sizes(job, training, config, bool(added), device)
    plan |= {"tokens": _tokens(job, tokenizer, training, train, test)}
    plan |= {"parity": _parity(job, tokenizer, [*train, *test])}
    plan |= {"isolated": _isolation(job, config) if training.packing else None}
    _write(job, tokenizer, plan, train[:SHOWN])


def _base(job: Job, training: Training, train: Sequence[Sample]) -> Path:
    if training.base_model != TINY:
        return base_folder(training.base_model)
    folder = job.output.workdir / BASE
    build_tiny(train, folder, training)
    return folder


def _sizes(job: Job, training: Training, config: Any, added: bool, device: torch.device) -> dict[str, Any]:
    """Parameters and memory for each method, and whether the chosen one fits."""
    available = gpu_memory(job.config.gpu_memory_gb, device)
    sizes: dict[str, Any] = {}
    for method in ("full", "lora", "qlora"):
        variant = training.model_copy(update={"method": method})
        counted = count_parameters(config, variant, added)
        gigabytes = memory(counted, config, variant, gpu=available is not None)
        sizes[method] = {"trainable": counted.trainable, "share": counted.trainable_share, "gigabytes": gigabytes}
        job.log.info(
            "size",
            extra={
                "fields": {
                    "method": method,
                    "chosen": method == training.method,
                    "trainable": f"{counted.trainable:,}",
                    "share": f"{counted.trainable_share:.4%}",
                    "gigabytes": f"{gigabytes['total']:.2f}",
                }
            },
        )
        if method == training.method:
            check_fit(gigabytes, available, config, training)
            job.output.metrics.update(
                parameters=counted.base, trainable_parameters=counted.trainable, memory_gb=gigabytes["total"]
            )
    return {"sizes": sizes, "gpu_memory_gb": job.config.gpu_memory_gb}


def _tokens(
    job: Job, tokenizer: Any, training: Training, train: Sequence[Sample], test: Sequence[Sample]
) -> dict[str, Any]:
    """Length figures of both splits."""
    figures: dict[str, Lengths] = {}
    for name, part in (("train", train), ("test", test)):
        figures[name] = measure(encode_rows(tokenizer, part, training), training)
        job.log.info("tokens", extra={"fields": {"split": name} | figures[name].as_dict()})
        check_lengths(figures[name], training, job.config.max_truncated)
    job.output.metrics.update(
        tokens=figures["train"].tokens,
        truncated=figures["train"].truncated,
        packing_efficiency=figures["train"].packing_efficiency,
    )
    return {name: lengths.as_dict() for name, lengths in figures.items()}


def _parity(job: Job, tokenizer: Any, samples: Sequence[Sample]) -> dict[str, int]:
    """Every sample as it is trained against what a server would send. Raises `BadInput` at the first difference."""
    marked = 0
    for sample in samples:
        problem = parity_problem(tokenizer, sample.messages, encode(tokenizer, sample.messages))
        if problem:
            raise BadInput(
                f"training and serving would disagree on sample {sample.id}: {problem}",
                hint="choose another `training.template`",
            )
        text = "".join(message.content for message in sample.messages)
        marked += any(token in text for token in tokenizer.all_special_tokens)
    if marked:
        job.log.warning(
            "samples whose text holds control tokens of the template", extra={"fields": {"samples": marked}}
        )
    return {"samples": len(samples), "with_control_tokens": marked}


def _isolation(job: Job, config: Any) -> bool:
    """Whether packing changes nothing; the figures are rounding noise, so they stay out of the hashed plan."""
    isolation = check_isolation(config)
    job.log.info("packing", extra={"fields": asdict(isolation)})
    job.output.metrics.update(packing_leak=isolation.leak, packing_gradient_difference=isolation.gradient_difference)
    return isolation.holds


def _write(job: Job, tokenizer: Any, plan: dict[str, Any], shown: Sequence[Sample]) -> None:
    output, training = job.output, job.config.training
    tokenizer.save_pretrained(output.workdir / TOKENIZER)
    output.add_folder(TOKENIZER)
    if training.base_model == TINY:
        output.add_folder(BASE)
    output.add_text("plan.json", json.dumps(plan, indent=1, ensure_ascii=False))
    output.add_text("template.txt", as_text(tokenizer, shown))
    output.add_text("template.html", as_html(tokenizer, shown, training.template))
