"""What evolving may take at most, before anything is sent: every question as it is rendered for some of the rows.

Evolved instructions and answers, which are not known yet, count as long as those of the rows that came in.
"""

from collections.abc import Iterator, Sequence

from contract.config.evolve import EvolveConfig
from contract.keys import digest
from contract.records import Sample
from generate.evolve.answers import system_of
from generate.evolve.book import ROWS
from generate.evolve.how import How
from generate.evolve.prompt import AUTO, Case
from generate.evolve.ratings import ASPECTS, Ratings
from generate.evolve.row import is_one_turn
from generate.evolve.shapes import Answered, AutoEvolved, Evolved, Feedback, Gain, Mended
from generate.llm.asker import drawn_again
from generate.llm.estimating import Estimate, rendered
from generate.llm.sampling import sampled
from generate.llm.session import Session
from generate.llm.structured import strict_schema


def estimate(session: Session, how: How) -> list[Estimate]:
    """Requests and prompt tokens if nothing is in the cache, every evolution is good, and nothing is asked again."""
    dataset, config = session.job.input(ROWS), how.config
    some = sampled(dataset, Sample)
    usable = [sample for sample in some if is_one_turn(sample)]
    rows = round(dataset.rows * len(usable) / max(1, len(some)))
    name = _name(how)
    tries = rows * config.rounds
    searched = _searched(config, rows) if config.method == AUTO and config.rounds else 0
    return [
        _rewriting(session, how, usable, tries + searched, name),
        *_checks(how, usable, tries + searched, name),
        *_answers(how, usable, tries, searched, name),
        *_ratings(how, usable, tries, name),
        *(_mending(how, usable, name) if searched else ()),
    ]


def _name(how: How) -> str:
    """What is asked, and how often of each kind."""
    config = how.config
    asked = config.model_dump(include={"method", "rounds", "operations", "auto", "check_gain"})
    rated = (
        [how.rubrics.hash, config.compare.of, len(config.compare.answerers)] if how.rubrics and config.compare else []
    )
    return digest([how.prompt.hash, asked, rated])


def _rewriting(session: Session, how: How, usable: Sequence[Sample], tries: int, name: str) -> Estimate:
    schema = strict_schema(AutoEvolved if how.config.method == AUTO else Evolved)
    openings = [how.rewriting(how.operation(row.id, 1), row, row.id, 1)[0] for row in usable]
    sample = [drawn_again(session.question(messages, schema), 1) for messages in openings]
    return rendered(tries, openings, name, schema, sample if how.config.rounds else ())


def _checks(how: How, usable: Sequence[Sample], tries: int, name: str) -> Iterator[Estimate]:
    if how.config.check_gain:
        openings = [how.prompt.gain(row.instruction, row.instruction) for row in usable]
        yield rendered(tries, openings, name, strict_schema(Gain))


def _answers(how: How, usable: Sequence[Sample], tries: int, searched: int, name: str) -> Iterator[Estimate]:
    """One answer of each model; the search for a method asks the first alone."""
    openings = [how.prompt.answer(system_of(row), row.instruction) for row in usable]
    for number, endpoint in enumerate(how.answerers):
        asked = tries + _originals(how, tries) + (searched if number == 0 else 0)
        yield rendered(asked, openings, name, strict_schema(Answered), endpoint=endpoint)


def _ratings(how: How, usable: Sequence[Sample], tries: int, name: str) -> Iterator[Estimate]:
    compare = how.config.compare
    if compare is None or how.rubrics is None:
        return
    for aspect in ASPECTS:
        openings = [
            how.rubrics.question(aspect, row.instruction, [row.answer] * len(compare.answerers)) for row in usable
        ]
        schema = strict_schema(Ratings)
        yield rendered(tries + _originals(how, tries), openings, name, schema, endpoint=compare.judge)


def _originals(how: How, tries: int) -> int:
    """Rows whose own instruction is answered and rated, too."""
    compare = how.config.compare
    return tries // max(1, how.config.rounds) if compare and compare.of == "all" else 0


def _searched(config: EvolveConfig, rows: int) -> int:
    """Evolutions that the search for a method tries."""
    auto = config.auto
    development = min(rows, auto.development) * (1 + auto.steps * auto.candidates)
    return config.rounds * (development + min(rows, auto.trajectories) * auto.steps)


def _mending(how: How, usable: Sequence[Sample], name: str) -> Iterator[Estimate]:
    """What is wrong with a method, asked once a step, and a better one, asked for each candidate."""
    auto = how.config.auto
    cases = [Case(row.instruction, row.instruction, row.answer) for row in usable[: auto.trajectories]]
    yield rendered(auto.steps, [how.prompt.analyse(how.method, cases)], name, strict_schema(Feedback))
    yield rendered(auto.steps * auto.candidates, [how.prompt.mend(how.method, how.method)], name, strict_schema(Mended))
