"""What a run may send at most, before anything is sent: every question as it is rendered for some of the rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from contract.config.llm import Endpoint
from contract.keys import digest
from contract.records import Sample
from generate.judge.material import ROWS, Material, is_judged
from generate.judge.panel import Bench, FreshAnswer, Panel, lacks
from generate.judge.subjects import Subject
from generate.judge.verdicts import ComparedAnswers, ScoredAnswer, schema_of
from generate.llm.estimating import SAMPLE, Estimate, rendered
from generate.llm.sampling import drawn_places, sampled
from generate.llm.session import Session


def estimate(session: Session, panel: Panel, material: Material, gold: Sequence[Subject]) -> list[Estimate]:
    """Requests and prompt tokens if nothing is in the cache and no verdict is asked again. An opponent's answer, which
    is not known yet, counts as one of the length of what it is compared with, and another: the same needs no judge."""
    bench = Bench(session, panel)
    datasets = session.job.inputs.get(ROWS, [])
    drawn = [sample for dataset in datasets for sample in sampled(dataset, Sample)]
    rows = [material.completed(sample) for sample in drawn if is_judged(sample, panel.config)]
    number = round(sum(dataset.rows for dataset in datasets) * len(rows) / max(1, len(drawn)))
    name = digest([panel.prompts.hash, panel.config.method, panel.config.examples, bool(panel.config.opponent)])
    few = [gold[place] for place in drawn_places(len(gold), SAMPLE)]
    parts = list(_verdicts(bench, rows, number, name, known=panel.config.opponent is None))
    parts += _verdicts(bench, few, len(gold), name, known=True)
    if panel.config.opponent:
        parts.append(_opponents(session, panel, panel.config.opponent, rows, number, name))
    return parts


def _verdicts(bench: Bench, subjects: Sequence[Subject], number: int, name: str, known: bool) -> Iterator[Estimate]:
    """One kind of question for each juror and rubric; `known` says that nothing in it stands for something else."""
    shape = ComparedAnswers if bench.panel.pairwise else ScoredAnswer
    for juror in bench.jurors:
        for rubric in bench.panel.prompts.rubrics:
            complete = subjects if known else [replace(one, opponent=f"{one.answer}.") for one in subjects]
            usable = [one for one in complete if not lacks(rubric, one, bench.panel.pairwise)]
            openings = [messages for one in usable for messages in bench.openings(rubric, one)]
            asked = round(number * len(openings) / max(1, len(subjects)))
            sample = [juror.opening(messages, shape) for messages in openings] if known else []
            yield rendered(asked, openings, name, schema_of(shape), sample, juror.endpoint)


def _opponents(session: Session, panel: Panel, endpoint: Endpoint, rows: Sequence[Subject], number: int,
               name: str) -> Estimate:  # fmt: skip
    openings = [panel.prompts.opponent(one) for one in rows if one.answer]
    sample = [session.question(messages, schema_of(FreshAnswer), endpoint) for messages in openings]
    asked = round(number * len(openings) / max(1, len(rows)))
    return rendered(asked, openings, name, schema_of(FreshAnswer), sample, endpoint)
