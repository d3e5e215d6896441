"""The items of the benchmarks, as texts to look for."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from contract.config.decontaminate import Benchmark
from contract.failures import BadInput
from curate.found import Found, Rejected
from curate.paths import dotted
from curate.tables import problem_of, read_table


class Item(NamedTuple):
    """One question of a benchmark; `number` counts from 1 in the order of its files.

    `text` is what is looked for; `question` and `answer` are empty where the benchmark does not name them.
    """

    benchmark: str
    number: int
    text: str
    question: str = ""
    answer: str = ""

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
    fields, question, answer = (
        [*dict.fromkeys(paths)] for paths in (benchmark.fields, benchmark.question, benchmark.answer)
    )
    for number, row in enumerate(read_table(benchmark), 1):
        if isinstance(row, Rejected):
            raise BadInput(f"{row.place}: {problem_of(row)}", where=f"benchmark {benchmark.name}")
        parts = _parts(row, benchmark, fields)
        if not parts:
            raise _nothing(row, benchmark)
        asked, answered = _parts(row, benchmark, question), _parts(row, benchmark, answer)
        yield Item(benchmark.name, number, "\n".join(parts), "\n".join(asked), "\n".join(answered))
    if not number:
        raise BadInput(
            "the benchmark has no items", expected="at least one", where=f"{benchmark.name}: {benchmark.uri}"
        )


def read_paraphrases(benchmark: Benchmark) -> list[str]:
    """Rewordings of a benchmark's items in order; one that is no text is empty.

    Raises `BadInput` for a row that cannot be read.
    """
    texts: list[str] = []
    for row in read_table(benchmark.paraphrases) if benchmark.paraphrases else ():
        if isinstance(row, Rejected):
            raise BadInput(f"{row.place}: {problem_of(row)}", where=f"paraphrases of {benchmark.name}")
        value = dotted(row.value, benchmark.paraphrases.field) if benchmark.paraphrases else None
        texts.append(value if isinstance(value, str) else "")
    return texts


def _nothing(row: Found, benchmark: Benchmark) -> BadInput:
    return BadInput(
        f"{row.place} has none of the fields {', '.join(benchmark.fields)}",
        expected=f"one of its own: {', '.join(row.value)}",
        where=f"benchmark {benchmark.name}",
    )


def _parts(row: Found, benchmark: Benchmark, paths: list[str]) -> list[str]:
    texts: list[str] = []
    for path in paths:
        value = dotted(row.value, path)
        texts += [value] if isinstance(value, str) else _texts(value, path, row, benchmark)
    return texts


def _texts(value: Any, path: str, row: Found, benchmark: Benchmark) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item, path, row, benchmark)]
    if path in benchmark.answer and isinstance(value, int | float):
        return [str(value)]  # a number is a fair answer, but no text to look for
    raise BadInput(
        f"{row.place}: {path!r} is a {type(value).__name__}",
        expected="text or a list of texts",
        where=f"benchmark {benchmark.name}",
    )
