"""export: one folder that any server of Hugging Face models can load."""

import torch

from finetune.data import read_splits
from finetune.export.card import model_card
from finetune.export.merge import check_reload, merged_model
from finetune.model import cast_weights, logits, pick_device, quiet, save_model
from finetune.probes import questions
from finetune.trained import MODEL, Trained
from stagekit.job import Job

PROBES = 4
"""Test prompts on which models are compared; a fault in merging shows on the first."""


def run(job: Job) -> None:
    """Reads the training's result; writes `model/` with weights, tokenizer, template and card."""
    quiet()
    trained = Trained(job.input("train"))
    pick_device(trained.training)
    samples = job.input("samples")
    prompts = [ids for _, ids in questions(trained.tokenizer, read_splits(samples)[1], trained.training.max_length)]
    prompts = prompts[:PROBES]
    model, difference = merged_model(trained, prompts, job.config.tolerance)
    job.log.info("merged", extra={"fields": {"largest_difference": f"{difference:.2g}"}})
    exact = [logits(model, prompt) for prompt in prompts]
    cast_weights(model, getattr(torch, job.config.dtype))
    rounding = max((logits(model, p) - e).abs().max().item() for p, e in zip(prompts, exact, strict=True))
    folder = job.output.workdir / MODEL
    save_model(model, folder)
    trained.tokenizer.save_pretrained(folder)
    check_reload(model, folder, trained.tokenizer, prompts)
    card = model_card(samples.manifest, trained.dataset.manifest, trained.training, job.config.dtype, difference)
    (folder / "README.md").write_text(card, encoding="utf-8")
    job.output.metrics.update(
        merge_difference=difference,
        rounding_difference=rounding,
        bytes=sum(path.stat().st_size for path in folder.iterdir()),
    )
    job.output.add_folder(MODEL)
