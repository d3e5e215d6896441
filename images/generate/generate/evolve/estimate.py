"""What evolving may take at most, before anything is sent."""

import pyarrow.compute as pc

from contract.config.evolve import EvolveConfig
from generate.evolve.book import ROWS
from generate.evolve.how import How
from generate.evolve.prompt import AUTO, BREADTH
from generate.evolve.ratings import ASPECTS
from generate.llm.session import Estimate
from generate.llm.tokens import most_tokens
from stagekit.job import Job

CHARACTERS_PER_TOKEN = 4
"""Of English prose."""


def estimate(job: Job, how: How) -> Estimate:
    """Requests and prompt tokens if nothing is in the cache, every evolution is good, and nothing is asked again."""
    rows = job.input(ROWS)
    characters = 0
    for batch in rows.batches(columns=["messages"]):
        characters += pc.sum(pc.utf8_length(batch.column(0).flatten().field("content"))).as_py() or 0
    number = requests(how.config, rows.rows)
    frame = most_tokens(how.prompt.rewrite(BREADTH, "", ""))
    return Estimate(number, number * (frame + characters // max(rows.rows, 1) // CHARACTERS_PER_TOKEN))


def requests(config: EvolveConfig, rows: int) -> int:
    """Requests for that many rows."""
    answers, ratings = _compared(config)
    rewriting = 1 + config.check_gain
    evolved = rows * config.rounds * (rewriting + answers + ratings)
    original = rows * (answers + ratings) if config.compare and config.compare.of == "all" else 0
    return evolved + original + (_search(config, rows) if config.method == AUTO else 0)


def _compared(config: EvolveConfig) -> tuple[int, int]:
    """Answers and ratings of one instruction."""
    return (len(config.compare.answerers), len(ASPECTS)) if config.compare else (1, 0)


def _search(config: EvolveConfig, rows: int) -> int:
    auto, each = config.auto, config.rounds * (2 + config.check_gain)
    development = min(rows, auto.development) * (1 + auto.steps * auto.candidates)
    trajectories = min(rows, auto.trajectories) * auto.steps
    return each * (development + trajectories) + auto.steps * (1 + auto.candidates)
