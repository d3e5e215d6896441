"""Everything that was tried with one row, as lines for the books."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from generate.evolve.answers import Answer
from generate.evolve.compare import Comparison
from generate.evolve.evolution import Evolution
from generate.evolve.fate import Fate
from generate.evolve.row import Row

EVOLUTIONS, ANSWERS, COMPARISONS = "evolutions", "answers", "comparisons"


@dataclass(frozen=True)
class Line:
    """One thing that was tried: its account, its end, and what the ledger keeps of it if it did not go on."""

    account: str
    id: str
    fate: Fate
    detail: str = ""
    text: dict[str, str] | None = None

    @property
    def row(self) -> str | None:
        """What came of it, as JSON."""
        return orjson.dumps(self.text).decode() if self.text else None


def lines_of(row: Row) -> Iterator[Line]:
    """Evolutions, answers and comparisons of a row. Their ids: the row's, `#` and the round, `/` and the answer."""
    for tried in row.evolutions:
        yield from evolution_lines(tried, f"{row.sample.id}#{tried.number}")
    yield from _answers(row.answers, row.sample.instruction, row.sample.id)
    yield from _comparison(row.comparison, row.sample.id)


def evolution_lines(tried: Evolution, id: str, account: str = EVOLUTIONS) -> Iterator[Line]:
    """One evolution, with its answers and comparison."""
    text = {"instruction": tried.instruction} if tried.instruction else None
    yield Line(account, id, tried.fate, tried.operation, text)
    yield from _answers(tried.answers, tried.instruction, id)
    yield from _comparison(tried.comparison, id)


def _answers(answers: Iterable[Answer], instruction: str, id: str) -> Iterator[Line]:
    for number, answer in enumerate(answers, 1):
        text = {"instruction": instruction, "answer": answer.text} if answer.text else None
        yield Line(ANSWERS, f"{id}/{number}", answer.fate, answer.model, text)


def _comparison(comparison: Comparison | None, id: str) -> Iterator[Line]:
    if comparison:
        yield Line(COMPARISONS, id, comparison.fate)
