"""export: one folder that any server of Hugging Face models can load."""

import gc
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from contract.records import Sample
from finetune.data import Row, encode_rows, learnable, read_splits
from finetune.export.card import Figures, model_card
from finetune.export.merge import check_loss, check_reload, largest_difference, merged_model
from finetune.export.reload import Read, read_afresh
from finetune.exported import ANSWER_TOKENS, Exchange, trained_prompt, write_parity
from finetune.judged import JUDGE, read_judged
from finetune.loss import mean_loss
from finetune.model import cast_weights, generate, logits, pick_device, quiet, save_model, working_dtype
from finetune.probes import questions
from finetune.trained import ADAPTER, MODEL, Trained
from stagekit.job import Job

PROBES = 4
"""Test prompts on which models are compared; a fault in merging shows on the first."""


@dataclass(frozen=True)
class Checks:
    """What the models are compared on: samples with their prompts, and the rows of the loss."""

    samples: Sequence[Sample]
    prompts: Sequence[list[int]]
    rows: Sequence[Row]


def run(job: Job) -> None:
    """Reads the training's result; writes `model/` with weights, tokenizer, template, card and `parity.json`. The card
    tells of a judge's comparison where there is one."""
    quiet()
    trained = Trained(job.input("train"))
    device = pick_device(trained.training)
    checks = _checks(trained, read_splits(job.input("samples"))[1], job.config.loss_samples)
    loss, answers = _as_trained(trained, checks, device)
    model, difference = merged_model(trained, checks.prompts, job.config.tolerance)
    job.log.info("merged", extra={"fields": {"largest_difference": f"{difference:.2g}"}})
    rounding = _round(model, getattr(torch, job.config.dtype), checks.prompts)
    folder = job.output.workdir / MODEL
    save_model(model, folder, job.config.shard_gb)
    trained.tokenizer.save_pretrained(folder)
    read = read_afresh(folder, checks.prompts, checks.rows, device)
    check_reload(model, read, checks.prompts, str(folder))
    job.log.info("loss", extra={"fields": {"trained": f"{loss:.4f}", "exported": f"{read.loss:.4f}"}})
    check_loss(loss, read.loss, job.config.max_loss_rise)
    write_parity(folder, _exchanges(trained.tokenizer, checks.samples, read))
    _write_card(job, trained, Figures(job.config.dtype, difference, loss, read.loss, len(checks.rows)))
    job.output.metrics.update(
        merge_difference=difference,
        rounding_difference=rounding,
        trained_loss=loss,
        exported_loss=read.loss,
        same_answers=sum(map(list.__eq__, answers, read.answers)),
        asked=len(answers),
        bytes=sum(path.stat().st_size for path in folder.iterdir()),
    )
    job.output.add_folder(MODEL)
    if job.config.adapter and trained.has_adapter:
        _add_adapter(job, trained)


def _add_adapter(job: Job, trained: Trained) -> None:
    folder = job.output.workdir / ADAPTER
    shutil.copytree(trained.dataset.folder(ADAPTER), folder)
    trained.tokenizer.save_pretrained(folder)
    job.output.add_folder(ADAPTER)


def _checks(trained: Trained, test: Sequence[Sample], loss_samples: int) -> Checks:
    asked = questions(trained.tokenizer, test, trained.training.max_length)[:PROBES]
    rows = learnable(encode_rows(trained.tokenizer, test, trained.training))[:loss_samples]
    return Checks([sample for sample, _ in asked], [ids for _, ids in asked], rows)


def _as_trained(trained: Trained, checks: Checks, device: torch.device) -> tuple[float, list[list[int]]]:
    """Loss and answers of the model as it was evaluated: before merging, on the base that the adapter saw."""
    model: Any = trained.as_trained(working_dtype(device), device)
    loss = mean_loss(model, checks.rows, trained.tokenizer.pad_token_id).nats
    answers = [generate(model, prompt, ANSWER_TOKENS) for prompt in checks.prompts]
    del model
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return loss, answers


def _round(model: Any, dtype: torch.dtype, prompts: Sequence[list[int]]) -> float:
    """Cast the weights; returns how far that moves a logit."""
    exact = [logits(model, prompt) for prompt in prompts]
    cast_weights(model, dtype)
    return largest_difference(exact, [logits(model, prompt) for prompt in prompts])


def _exchanges(tokenizer: Any, samples: Sequence[Sample], read: Read) -> list[Exchange]:
    found = []
    for sample, ids in zip(samples, read.answers, strict=True):
        messages, prompt = trained_prompt(tokenizer, sample)
        text = tokenizer.decode(ids, skip_special_tokens=True)
        found.append(Exchange([{"role": m.role, "content": m.content} for m in messages], prompt, text))
    return found


def _write_card(job: Job, trained: Trained, figures: Figures) -> None:
    judged = read_judged(next(iter(job.inputs.get(JUDGE, [])), None))
    card = model_card(job.input("samples"), trained.dataset.manifest, trained.training, figures, judged)
    (job.output.workdir / MODEL / "README.md").write_text(card, encoding="utf-8")
