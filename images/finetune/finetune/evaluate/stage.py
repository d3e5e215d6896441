"""evaluate: base and tuned model on the same test split, through the same template."""

import gc
from collections.abc import Sequence
from typing import Any

from contract.records import Sample
from finetune.data import Row, encode_rows, learnable, read_splits
from finetune.evaluate.report import Answer, Comparison
from finetune.loss import Loss, mean_loss
from finetune.model import generate, pick_device, quiet, working_dtype
from finetune.probes import questions
from finetune.tracking import UNTRACKED, find_run, ping, remote, tracking_uri
from finetune.trained import Trained
from stagekit.job import Job


def run(job: Job) -> None:
    """Reads the test split and the training's result; writes the comparison, and whether the gate is passed."""
    quiet()
    ping()
    trained = Trained(job.input("train"))
    test = read_splits(job.input("samples"))[1]
    rows = learnable(encode_rows(trained.tokenizer, test, trained.training))
    prompts = questions(trained.tokenizer, test, trained.training.max_length)[: job.config.generations]
    base, base_answers = _measure(job, trained, "base", rows, prompts)
    tuned, tuned_answers = _measure(job, trained, "tuned", rows, prompts)
    answers = [
        Answer(sample.id, sample.instruction, sample.answer, before, after)
        for (sample, _), before, after in zip(prompts, base_answers, tuned_answers, strict=True)
    ]
    comparison = Comparison(base, tuned, job.config.min_improvement, answers)
    job.output.add_text("comparison.json", comparison.as_json())
    job.output.add_text("comparison.md", comparison.as_markdown())
    job.output.metrics.update(comparison.metrics())
    _track(job, trained, comparison)


def _measure(
    job: Job, trained: Trained, which: str, rows: Sequence[Row], prompts: Sequence[tuple[Sample, list[int]]]
) -> tuple[Loss, list[str]]:
    """One model's loss and answers; only one model is in memory at a time."""
    device = pick_device(trained.training)
    model: Any = getattr(trained, which)(working_dtype(device), device)
    loss = mean_loss(model, rows, trained.tokenizer.pad_token_id)
    job.log.info("loss", extra={"fields": {"model": which, "nats": f"{loss.nats:.4f}", "tokens": loss.tokens}})
    answers = []
    for sample, prompt in prompts:
        text = trained.tokenizer.decode(
            generate(model, prompt, job.config.max_new_tokens), skip_special_tokens=True
        ).strip()
        job.log.info("answer", extra={"fields": {"model": which, "to": sample.instruction[:100], "is": text}})
        answers.append(text)
    del model
    gc.collect()
    return loss, answers


def _track(job: Job, trained: Trained, comparison: Comparison) -> None:
    if not tracking_uri():
        job.log.info(UNTRACKED)
        return
    with remote("find the training's run"):
        run = find_run(trained.known_run())
    if run is None:
        job.log.warning("the training's run is not on this tracking server: the comparison is not logged there")
        return
    run.metrics({name: value for name, value in comparison.metrics().items() if isinstance(value, float)})
    run.text(comparison.as_json(), "evaluate/comparison.json")
    run.text(comparison.as_markdown(), "evaluate/comparison.md")
    job.output.links.update({"mlflow_run": run.url} if run.url else {})
