"""What the models are asked: the test split as it is, and with examples before each question."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from contract.config.evaluate import EvaluateConfig
from contract.config.finetune import Training
from contract.failures import BadConfig, BadInput
from contract.records import Sample
from finetune.data import Row, with_samples
from finetune.evaluate.few_shot import few_shot
from finetune.probes import questions


@dataclass(frozen=True)
class Task:
    """One way of asking: the rows whose loss counts, and the prompts to answer. `examples` is how many stand before a
    row's question, on average."""

    rows: Sequence[Row]
    prompts: Sequence[list[int]]
    examples: float = 0.0


@dataclass(frozen=True)
class Tasks:
    """Both ways, over the same rows in the same order, and the samples behind the prompts. `prompted` is None where no
    example was wanted or none fits."""

    asked: Sequence[Sample]
    plain: Task
    prompted: Task | None


def make_tasks(
    tokenizer: Any, training: Training, config: EvaluateConfig, train: Sequence[Sample], test: Sequence[Sample]
) -> Tasks:
    """Test rows and prompts.

    Raises `BadInput` where no test sample has anything to learn, `BadConfig` where the gate needs the prompted base and
    no example fits.
    """
    pairs = [(sample, row) for sample, row in with_samples(tokenizer, test, training) if row.targets]
    if not pairs:
        raise BadInput(
            f"none of {len(test):,} test samples has an answer within its first {training.max_length:,} tokens",
            expected="at least one",
            hint="raise `training.max_length`",
        )
    asked = questions(tokenizer, test, training.max_length)[: config.generations]
    samples, prompts = [sample for sample, _ in asked], [ids for _, ids in asked]
    prompted = None
    if shots := few_shot(tokenizer, training, train, config.few_shot):
        longer = [shots.row(sample, row) for sample, row in pairs]
        asked_longer = [shots.prompt(sample, ids, config.max_new_tokens) for sample, ids in asked]
        prompted = Task([row for row, _ in longer], asked_longer, fmean(number for _, number in longer))
    if prompted is None or not prompted.examples:
        _check_gate(config, training)
        prompted = None
    return Tasks(samples, Task([row for _, row in pairs], prompts), prompted)


def _check_gate(config: EvaluateConfig, training: Training) -> None:
    if config.min_over_prompted is not None:
        raise BadConfig(
            f"no example of the train split fits before a test question within {training.max_length:,} tokens, so the "
            "tuned model cannot be held against the prompted base",
            hint="raise `training.max_length`, or set `evaluate.min_over_prompted` to null",
        )
