"""Train a classifier of text quality, and measure it on documents that it has not seen.

Reads samples, and decisions where labels come from them. Writes `model.bin`, a supervised fastText model with the
labels `high` and `low`, and `quality.json` with its figures on what was held out. Account `rows`: kept are the
examples, dropped what teaches nothing. Raises `BadInput` where a side has too few examples, and where the model does
not reach `minimum_auc`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from contract.config.learn_quality import LearnQualityConfig
from contract.failures import BadConfig, BadInput
from contract.records import Decision, Sample
from curate.decisions import Decisions
from curate.language import scorer
from curate.learn_quality.examples import RULES, Example, Unused, example_of, is_held_out, unused_twins
from curate.learn_quality.measures import report
from curate.learn_quality.training import HIGH, train
from stagekit.job import Job
from stagekit.schema import to_rows

ROWS, MODEL, FIGURES = "rows", "model.bin", "quality.json"
LEAST = 10  # examples of each label to learn from
LEAST_HELD_OUT = 5  # of each label to measure with
SHOWN = (0.3, 0.5, 0.7, 0.9)  # thresholds whose precision and recall are metrics


class Sides(NamedTuple):
    """Examples to learn from, and those held out."""

    learnt: list[Example]
    held_out: list[Example]


def run(job: Job) -> None:
    """Choose examples, train, measure."""
    config: LearnQualityConfig = job.config
    for rule, description in RULES.items():
        job.output.rule(rule, description)
    examples = _examples(job, config)
    sides = _sides(examples, config)
    _check(sides)
    path = job.output.workdir / MODEL
    train(sides.learnt, config, path)
    scores = scorer(path, HIGH)([example.text for example in sides.held_out])
    figures = report(scores, np.array([example.high for example in sides.held_out]))
    _demand(figures, config)
    job.output.add_file(MODEL)
    job.output.add_text(FIGURES, orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode())
    job.output.metrics |= _metrics(sides, figures)


def _examples(job: Job, config: LearnQualityConfig) -> list[Example]:
    """The examples among the rows, each row booked."""
    decisions = _decisions(job)
    samples = (sample for batch in job.input(ROWS).batches() for sample in to_rows(batch, Sample))
    found = [example_of(sample, config, decisions) for sample in samples]
    twins = unused_twins(one for one in found if isinstance(one, Example))
    job.output.books.open(ROWS, len(found))
    first = 0
    for batch in job.input(ROWS).batches():
        ends = found[first : first + batch.num_rows]
        first += batch.num_rows
        _book(job, batch, [twins.get(end.id, end) if isinstance(end, Example) else end for end in ends])
    return [one for one in found if isinstance(one, Example) and one.id not in twins]


def _decisions(job: Job) -> Decisions:
    """What reviewers decided, where that is what labels come from."""
    if job.config.labels == "scores":
        return Decisions([])
    if not job.inputs.get("decisions"):
        raise BadConfig("labels come from decisions, but there is no input `decisions`", where="learn_quality")
    return Decisions(job.input("decisions").records(Decision))


def _book(job: Job, batch: pa.RecordBatch, ends: Sequence[Example | Unused]) -> None:
    unused = [(place, end) for place, end in enumerate(ends) if isinstance(end, Unused)]
    job.output.keep(ROWS, len(ends) - len(unused))
    job.output.drop(
        batch.take(pa.array([place for place, _ in unused], pa.int64())),
        ROWS,
        [end.rule for _, end in unused],
        value=[end.value for _, end in unused],
        partner=[end.partner for _, end in unused],
    )


def _sides(examples: Sequence[Example], config: LearnQualityConfig) -> Sides:
    sides = Sides([], [])
    for example in examples:
        sides[is_held_out(example, config.held_out, config.seed)].append(example)
    return sides


def _check(sides: Sides) -> None:
    for examples, least, purpose in ((sides.learnt, LEAST, "learn from"), (sides.held_out, LEAST_HELD_OUT, "measure")):
        good = sum(example.high for example in examples)
        if min(good, len(examples) - good) < least:
            raise BadInput(
                f"{good} good and {len(examples) - good} bad samples to {purpose}",
                expected=f"at least {least} of each",
                where="learn_quality",
                hint="judge or review more samples, or change `high` and `low`, or `held_out`",
            )


def _demand(figures: dict[str, Any], config: LearnQualityConfig) -> None:
    if config.minimum_auc is not None and figures["auc"] < config.minimum_auc:
        raise BadInput(
            f"the classifier's area under the ROC curve is {figures['auc']} on {figures['texts']} samples held out",
            expected=f"at least {config.minimum_auc}",
            where="learn_quality",
            hint="judge or review more samples, or lower `minimum_auc`",
        )


def _metrics(sides: Sides, figures: dict[str, Any]) -> dict[str, Any]:
    shown = {row["threshold"]: row for row in figures["thresholds"] if row["threshold"] in SHOWN}
    return {
        "learnt_from": len(sides.learnt),
        "learnt_from_good": sum(example.high for example in sides.learnt),
        "held_out": figures["texts"],
        "held_out_good": figures["good"],
        "auc": figures["auc"],
        "brier": figures["brier"],
        "calibration_error": figures["calibration_error"],
        **{f"{name}_{at:g}": row[name] for at, row in shown.items() for name in ("precision", "recall")},
    }
