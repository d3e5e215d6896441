"""The items of the benchmarks, as texts to look for."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from contract.config.decontaminate import Benchmark
from contract.failures import BadInput
from curate.found import Found, Rejected
from curate.paths import dotted
from curate.tables import problem_of, read_table


class Item(NamedTuple):
    """One question of a benchmark; `number` counts from 1 in the order of its files."""

    benchmark: str
    number: int
    text: str

    @property
    def name(self) -> str:
        """How the ledger calls it."""
        return f"{self.benchmark}:{self.number}"


def read_items(benchmark: Benchmark) -> Iterator[Item]:
    """All items of a benchmark.

    Raises `BadInput` for a row that cannot be read, or that has none of the fields: an item that is silently left out
    would be trained on.
    """
    number = 0
    for number, row in enumerate(read_table(benchmark), 1):
        if isinstance(row, Rejected):
            raise BadInput(f"{row.place}: {problem_of(row)}", where=f"benchmark {benchmark.name}")
        yield Item(benchmark.name, number, _text(row, benchmark))
    if not number:
        raise BadInput(
            "the benchmark has no items", expected="at least one", where=f"{benchmark.name}: {benchmark.uri}"
        )


def _text(row: Found, benchmark: Benchmark) -> str:
    found = {path: dotted(row.value, path) for path in benchmark.fields}
    texts = [text for path, value in found.items() for text in _texts(value, path, row, benchmark)]
    if not texts:
        raise BadInput(
            f"{row.place} has none of the fields {', '.join(benchmark.fields)}",
            expected=f"one of its own: {', '.join(row.value)}",
            where=f"benchmark {benchmark.name}",
        )
    return "\n".join(texts)


def _texts(value: Any, path: str, row: Found, benchmark: Benchmark) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item, path, row, benchmark)]
    raise BadInput(
        f"{row.place}: {path!r} is a {type(value).__name__}",
        expected="text or a list of texts",
        where=f"benchmark {benchmark.name}",
    )
