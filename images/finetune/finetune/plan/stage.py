"""plan: what a training will take, and whether it may start."""

import json
from collections.abc import Sequence
from pathlib import Path

from contract.config.finetune import Training
from contract.records import Sample
from finetune.base import TINY, base_folder, check_vocabulary, load_config, load_tokenizer
from finetune.chat import dress
from finetune.data import encode_rows, read_splits
from finetune.model import pick_device, quiet
from finetune.tiny import build_tiny
from finetune.trained import BASE, TOKENIZER
from stagekit.job import Job


def run(job: Job) -> None:
    """Reads the published samples; writes the tokenizer, the tiny base where asked for, and the plan."""
    quiet()
    training = job.config.training
    pick_device(training)
    train, test = read_splits(job.input("samples"))
    folder = _base(job, training, train)
    tokenizer = load_tokenizer(folder)
    added = dress(tokenizer, training.template, training.pad_token)
    config = load_config(folder)
    check_vocabulary(tokenizer, config, len(added), training.base_model)
    tokenizer.save_pretrained(job.output.workdir / TOKENIZER)
    job.output.add_folder(TOKENIZER)
    if training.base_model == TINY:
        job.output.add_folder(BASE)
    rows = encode_rows(tokenizer, [*train, *test], training)
    job.output.add_text("plan.json", json.dumps({"added_tokens": added}, indent=1))
    job.output.metrics.update(tokens=sum(row.length for row in rows))


def _base(job: Job, training: Training, train: Sequence[Sample]) -> Path:
    if training.base_model != TINY:
        return base_folder(training.base_model)
    folder = job.output.workdir / BASE
    build_tiny(train, folder, training)
    return folder
