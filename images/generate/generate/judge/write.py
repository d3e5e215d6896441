"""The second walk over the rows: scores written, low ones dropped."""

from collections import Counter

from contract.records import Sample
from generate.judge.biases import Line
from generate.judge.gate import Gate
from generate.judge.material import ROWS, is_judged
from generate.judge.panel import Panel
from generate.judge.scores import Dropping, Scores, marked
from stagekit.job import Job
from stagekit.schema import to_batch, to_rows

OTHERS = "by_another_model"


def write_rows(job: Job, panel: Panel, scores: Scores, lines: dict[str, Line], gates: dict[str, Gate]) -> Counter[str]:
    """Write every row with its scores, or to the ledger where they are too low. Returns how many each rule dropped."""
    for name in panel.criteria:
        job.output.rule(f"low_{name}", f"its score by {name} is below `drop_below`")
    job.output.rule(OTHERS, "written by another model than `answers_by` names")
    dropping, row, dropped = Dropping(panel.config, gates), 0, Counter[str]()
    for dataset in job.inputs.get(ROWS, []):
        for batch in dataset.batches():
            kept: list[Sample] = []
            low: list[tuple[Sample, list[tuple[str, float]]]] = []
            others: list[Sample] = []
            for sample in to_rows(batch, Sample):
                if not is_judged(sample, panel.config):
                    others.append(sample)
                    continue
                found = scores.of(row, lines, panel.pairwise)
                judged, reasons = marked(sample, found, panel.criteria), dropping.low(found)
                row += 1
                if reasons:
                    low.append((judged, reasons))
                else:
                    kept.append(judged)
            if kept:
                job.output.write(kept, account=ROWS)
            dropped += _drop(job, low, panel.config.drop_below)
            job.output.drop(
                to_batch(others, Sample),
                ROWS,
                OTHERS,
                threshold=panel.config.answers_by,
                value=[sample.model for sample in others],
            )
    return dropped


def _drop(job: Job, low: list[tuple[Sample, list[tuple[str, float]]]], least: float | None) -> Counter[str]:
    """Book dropped rows: the first criterion counts, the others are named."""
    rules = [[f"low_{name}" for name, _ in reasons] for _, reasons in low]
    job.output.drop(
        to_batch([sample for sample, _ in low], Sample),
        ROWS,
        [names[0] for names in rules],
        value=[reasons[0][1] for _, reasons in low],
        threshold=least,
        also=[names[1:] for names in rules],
    )
    return Counter(names[0] for names in rules)
