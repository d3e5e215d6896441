"""What a run may send at most, before anything is sent."""

from collections.abc import Sequence

import pyarrow.compute as pc

from generate.judge.material import ROWS
from generate.judge.panel import Panel
from generate.judge.subjects import Subject
from generate.llm.session import Estimate
from generate.llm.tokens import most_tokens
from stagekit.job import Job

CHARACTERS_PER_TOKEN = 4
"""Of English prose, for the estimate before the start only."""
NOTHING = Subject("", "", "", reference="", opponent="")


def estimate(job: Job, panel: Panel, gold: Sequence[Subject]) -> Estimate:
    """Requests and prompt tokens if nothing is in the cache and no verdict is asked again. References and opponents'
    answers, which are not known yet, count as long as the answers that they are compared with."""
    rows, characters = _rows(job)
    subjects = rows + len(gold)
    characters += sum(len(each.instruction) + 2 * len(each.answer) for each in gold)
    each = len(panel.config.jury) * (2 if panel.pairwise else 1)
    frames = sum(_frame(panel, number) for number in range(len(panel.criteria)))
    questions = each * len(panel.criteria)
    tokens = subjects * each * frames + questions * characters // CHARACTERS_PER_TOKEN
    opponents = rows if panel.config.opponent else 0
    return Estimate(subjects * questions + opponents, tokens + opponents * (characters // max(rows, 1)) // 8)


def _frame(panel: Panel, number: int) -> int:
    """Tokens of a question by one rubric without its material."""
    rubric = panel.prompts.rubrics[number]
    if panel.pairwise:
        return most_tokens(panel.prompts.pairwise(rubric, NOTHING, swapped=False))
    return most_tokens(panel.prompts.absolute(rubric, NOTHING, panel.config.examples))


def _rows(job: Job) -> tuple[int, int]:
    """Rows, and characters of their messages, the answers twice."""
    rows = characters = 0
    for dataset in job.inputs.get(ROWS, []):
        for batch in dataset.batches(columns=["messages"]):
            messages = pc.list_flatten(batch.column(0))
            lengths = pc.utf8_length(pc.struct_field(messages, "content"))
            answers = pc.equal(pc.struct_field(messages, "role"), "assistant")
            rows += batch.num_rows
            characters += (pc.sum(lengths).as_py() or 0) + (pc.sum(pc.filter(lengths, answers)).as_py() or 0)
    return rows, characters
