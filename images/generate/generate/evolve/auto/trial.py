"""Trying a method on samples: which of its evolutions failed, and by which rule."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contract.records import Sample
from generate.evolve.accounts import evolution_lines
from generate.evolve.book import DEVELOPMENT, Book
from generate.evolve.how import How
from generate.evolve.prompt import Case
from generate.evolve.row import Row, evolve_row
from generate.llm.asker import Asker
from generate.llm.session import Session

SHOWN_CHARACTERS = 1_500
"""How much of each text the analysis sees."""


@dataclass(frozen=True)
class Trial:
    """How a method did. Evolutions whose request failed or was never sent say nothing of it and are not `tried`."""

    name: str
    method: str
    tried: int = 0
    by_rule: dict[str, int] = field(default_factory=dict)
    whole: bool = True
    """Whether the budget allowed every request."""

    @property
    def rate(self) -> float:
        """The share of evolutions that failed; 1 where none could be tried."""
        return sum(self.by_rule.values()) / self.tried if self.tried else 1.0

    def summary(self) -> dict[str, Any]:
        """For the history."""
        return {
            "name": self.name,
            "failure_rate": round(self.rate, 6),
            "tried": self.tried,
            "failed_by_rule": self.by_rule,
            "method": self.method,
        }


async def try_method(
    session: Session, book: Book, how: How, name: str, method: str, samples: Sequence[Sample]
) -> tuple[Trial, list[Row]]:
    """Evolve samples by a method as the stage would, with one answer each; every evolution is booked under
    `development`."""
    how = replace(how, method=method, config=how.config.model_copy(update={"compare": None}))

    async def work(number: int, sample: Sample) -> Row:
        return await evolve_row(Asker(session, number, how.prompt.reask), how, sample)

    rows: list[Row] = []
    async with session.each(samples, work) as done:
        async for row in done:
            rows.append(row)
            _enter(book, name, row)
    return _judged(name, method, rows), rows


def cases_of(rows: Sequence[Row]) -> list[Case]:
    """What the analysis sees of each evolution, in the order of rounds."""
    return [
        Case(
            before=tried.parent.instruction[:SHOWN_CHARACTERS],
            after=tried.instruction[:SHOWN_CHARACTERS],
            answer=tried.answers[0].text[:SHOWN_CHARACTERS] if tried.answers else "",
            fault=tried.fate.rule.replace("_", " "),
        )
        for row in rows
        for tried in row.evolutions
    ]


def _judged(name: str, method: str, rows: Sequence[Row]) -> Trial:
    ends = Counter((tried.fate.status, tried.fate.rule) for row in rows for tried in row.evolutions)
    by_rule = {rule: number for (status, rule), number in sorted(ends.items()) if status == "dropped"}
    skipped = any(status == "skipped" for status, _ in ends)
    return Trial(name, method, ends["kept", ""] + sum(by_rule.values()), by_rule, not skipped)


def _enter(book: Book, name: str, row: Row) -> None:
    lines = [
        line
        for tried in row.evolutions
        for line in evolution_lines(tried, f"{name}:{row.sample.id}#{tried.number}", DEVELOPMENT)
    ]
    book.enter(lines, row.exchanges, row.sample.id)
