"""plan: what a training will take, and whether it may start."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from contract.config.finetune import Training
from contract.records import Sample
from finetune.base import TINY, base_folder, check_vocabulary, hub_revision, load_config, load_tokenizer
from finetune.chat import dress
from finetune.data import check_kind, read_splits, stream_rows
from finetune.launch import launch_files
from finetune.model import pick_device, quiet
from finetune.path import TrainingPath
from finetune.plan.fastest import settle
from finetune.plan.fit import Counted, check_fit, count, gpu_memory, variants
from finetune.plan.isolation import check_isolation
from finetune.plan.lengths import Lengths, Tally, check_begins, check_learnable, check_truncation
from finetune.plan.parity import check_parity
from finetune.plan.probe import Base, is_wanted, probe_path
from finetune.plan.refusals import Refusals
from finetune.plan.report import as_markdown
from finetune.plan.sharing import Choice, check_choice, check_loading, table
from finetune.plan.view import as_html, as_text, show
from finetune.rows import SPLITS, rows_file, write_rows
from finetune.tiny import build_tiny
from finetune.trained import BASE, REVISION, TOKENIZER
from stagekit.job import Job

SHOWN = 3
"""Samples shown with their mask, and the longest beside them."""


def run(job: Job) -> None:
    """Reads the published samples; writes the tokenizer, the tiny base where asked for, the packed rows, and the plan.

    Refuses with the numbers what does not hold, unless the recipe allows it by name.
    """
    quiet()
    training = job.config.training
    device, refusals = pick_device(training), Refusals(job.config.allow, job.log)
    check_kind(job.input("samples"), training)
    train, test = read_splits(job.input("samples"))
    folder = _base(job, training, train)
    tokenizer, config = load_tokenizer(folder), load_config(folder)
    added = dress(tokenizer, training.template, training.pad_token)
    check_vocabulary(tokenizer, config, len(added), training.base_model)
    tokenizer.save_pretrained(job.output.workdir / TOKENIZER)
    available = gpu_memory(job.config, device)
    counted = count(config, training, bool(added), gpu=available is not None)
    choice, path, training = settle(config, counted, training, device, available)
    plan: dict[str, Any] = {"architecture": config.model_type, "added_tokens": added}
    plan |= {REVISION: hub_revision(training.base_model, folder)}
    _check_choice(job, choice, device)
    plan |= _sizes(job, refusals, counted, training, available)
    plan |= {"launch": asdict(choice) | {"device": device.type}, "gpus": table(counted, training, available)}
    plan |= {"tokens": _tokens(job, refusals, tokenizer, train, test)}
    plan |= {"parity": _parity(job, refusals, tokenizer, [*train, *test])}
    plan |= {"isolated": _isolation(job, refusals, config, path.attention, device) if training.packing else None}
    if choice.sharding == "none":  # one process alone would hold what is to be split
        path = _probe(job, refusals, counted, path, Base(folder, tokenizer, device, bool(added)))
    job.log.info("path", extra={"fields": asdict(path)})
    for name, text in launch_files(choice.processes, choice.sharding, device.type == "cuda").items():
        job.output.add_text(name, text)
    _write(job, tokenizer, plan | {"path": asdict(path), "overruled": refusals.overruled}, train)


def _base(job: Job, training: Training, train: Sequence[Sample]) -> Path:
    if training.base_model != TINY:
        return base_folder(training.base_model)
    folder = job.output.workdir / BASE
    build_tiny(train, folder, training)
    return folder


def _check_choice(job: Job, choice: Choice, device: torch.device) -> None:
    """Whether the processes can split what they are to."""
    on_cpu = device.type == "cpu"
    check_choice(choice, job.config.training, on_cpu, None if on_cpu else torch.cuda.device_count())
    if choice.processes > 1:
        job.log.info("processes", extra={"fields": asdict(choice)})


def _sizes(
    job: Job, refusals: Refusals, counted: Counted, training: Training, available: float | None
) -> dict[str, Any]:
    """Parameters and memory for each method, all variants, and whether the chosen one fits."""
    sizes: dict[str, Any] = {}
    for method, parameters in counted.parameters.items():
        gigabytes = counted.sizes(training.model_copy(update={"method": method}))
        sizes[method] = {"trainable": parameters.trainable, "share": parameters.trainable_share, "gigabytes": gigabytes}
        fields = {
            "method": method,
            "chosen": method == training.method,
            "trainable": f"{parameters.trainable:,}",
            "share": f"{parameters.trainable_share:.4%}",
            "gigabytes": f"{gigabytes['total']:.2f}",
        }
        job.log.info("size", extra={"fields": fields})
    with refusals.named("memory"):
        check_fit(counted, training, available)
        check_loading(counted, training, available)
    chosen = counted.parameters[training.method]
    job.output.metrics.update(
        parameters=chosen.base,
        trainable_parameters=chosen.trainable,
        memory_gb=sizes[training.method]["gigabytes"]["total"],
    )
    counted_in_full = counted.saved[training.method].counted
    return {
        "sizes": sizes,
        "activations_counted": counted_in_full,
        "gpu_memory_gb": available,
        "variants": variants(counted, training, available),
    }


def _tokens(
    job: Job, refusals: Refusals, tokenizer: Any, train: Sequence[Sample], test: Sequence[Sample]
) -> dict[str, Any]:
    """Length figures of both splits, whose rows are written on the way."""
    figures: dict[str, Lengths] = {}
    training = job.config.training
    begin = None if tokenizer.bos_token_id == tokenizer.eos_token_id else tokenizer.bos_token_id
    for name, part in (("train", train), ("test", test)):
        tally = Tally(begin)
        rows = tally.learnable(stream_rows(tokenizer, part, training))
        written = write_rows(rows, job.output.workdir / rows_file(name), training)
        figures[name] = tally.lengths(written, training)
        job.log.info("tokens", extra={"fields": {"split": name} | figures[name].as_dict()})
        check_learnable(figures[name], training)
        with refusals.named("truncation"):
            check_truncation(figures[name], training, job.config.max_truncated)
        with refusals.named("begin_tokens"):
            check_begins(figures[name])
    job.output.metrics.update(
        tokens=figures["train"].tokens,
        learned_tokens=figures["train"].learned_tokens,
        truncated=figures["train"].truncated,
        lost_ends=figures["train"].lost_ends,
        packing_efficiency=figures["train"].packing_efficiency,
    )
    return {name: lengths.as_dict() for name, lengths in figures.items()}


def _parity(job: Job, refusals: Refusals, tokenizer: Any, samples: Sequence[Sample]) -> dict[str, int] | None:
    """What was compared of training, inference and serving; None where a difference was overruled."""
    with refusals.named("parity"):
        parity = check_parity(tokenizer, load_tokenizer(job.output.workdir / TOKENIZER), samples)
        if parity.with_control_tokens:
            job.log.warning(
                "samples whose text holds control tokens of the template",
                extra={"fields": {"samples": parity.with_control_tokens}},
            )
        return asdict(parity)
    return None


def _isolation(job: Job, refusals: Refusals, config: Any, attention: str, device: torch.device) -> bool:
    """Whether packing changes nothing; the figures are rounding noise, so they stay out of the hashed plan."""
    with refusals.named("isolation"):
        isolation = check_isolation(config, attention, device)
        job.log.info("packing", extra={"fields": asdict(isolation)})
        job.output.metrics.update(
            packing_leak=isolation.leak, packing_gradient_difference=isolation.gradient_difference
        )
        return True
    return False


def _probe(job: Job, refusals: Refusals, counted: Counted, path: TrainingPath, base: Base) -> TrainingPath:
    """Two real steps of one process, whose figures differ from run to run and so are metrics alone; returns the path
    they took."""
    if not is_wanted(job.config.probe, base.device):
        return path
    training = job.config.training.model_copy(update={"processes": 1, "sharding": "none"})
    with refusals.named("memory"):
        path, figures = probe_path(base, path, counted, training, gpu_memory(job.config, base.device))
        job.log.info("probe", extra={"fields": figures})
        job.output.metrics.update(figures)
    return path


def _write(job: Job, tokenizer: Any, plan: dict[str, Any], train: Sequence[Sample]) -> None:
    output, training = job.output, job.config.training
    output.add_folder(TOKENIZER)
    for split in SPLITS:
        output.add_file(rows_file(split))
    if training.base_model == TINY:
        output.add_folder(BASE)
    longest = max(train, key=lambda sample: sum(len(message.content) for message in sample.messages))
    examples = [*train[:SHOWN], *([longest] if longest not in train[:SHOWN] else [])]
    shown = [show(tokenizer, sample, training) for sample in examples]
    output.add_text("plan.json", json.dumps(plan, indent=1, ensure_ascii=False))
    output.add_text("plan.md", as_markdown(plan, training))
    output.add_text("template.txt", as_text(shown))
    output.add_text("template.html", as_html(shown, training.template))
