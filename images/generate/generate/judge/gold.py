"""What people said: gold rows read, and their verdicts put on the judge's scale."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from contract.config.judge import HIGHEST, LOWEST, Gold, JudgeConfig
from generate.judge.subjects import Subject
from generate.tables import Row, at_path, read_table

GOLD = "gold"
RULES = {
    "gold_unreadable": "a gold row that is no object, or whose verdict is none",
    "gold_without_text": "a gold row without instruction and answer, of which no sample is there",
    "gold_not_wanted": "a gold row that `only` leaves out",
    "gold_undecided": "a sample about which reviewers are evenly divided, or which they only edited",
    "gold_unjudged": "a gold row to which no verdict of the judge came",
}
WINNERS: dict[str, float] = {
    **dict.fromkeys(("1", "a", "model_a", "answer", "output_1", "response_1"), 1.0),
    **dict.fromkeys(("2", "b", "model_b", "opponent", "output_2", "response_2"), 0.0),
    **dict.fromkeys(("0", "tie", "both", "neither", "tie (bothbad)"), 0.5),
}
"""How published sets name the better answer of a pair; the pairwise score that it stands for."""
DECISIONS: dict[str, bool] = {
    **dict.fromkeys(("accept", "accepted", "true"), True),
    **dict.fromkeys(("reject", "rejected", "false"), False),
}
Kind = Literal["score", "decision"]


@dataclass(frozen=True)
class Said:
    """People's verdict by one criterion: a score on the judge's scale, or a decision (1 accept, 0 reject)."""

    kind: Kind
    value: float


@dataclass(frozen=True)
class GoldRow:
    """One row: the answer, and what was said of it, by criterion. Without a subject, `rule` says what is wrong."""

    id: str
    subject: Subject | None = None
    said: dict[str, Said] | None = None
    rule: str = ""
    detail: str | None = None


def read_gold(config: JudgeConfig, criteria: Iterable[str]) -> list[GoldRow]:
    """Every row of the gold set, usable or not, in its order. Rows that name a sample have a subject of id alone."""
    gold, names = config.gold, list(criteria)
    return [_row(gold, config.method, names, place, row) for place, row in read_table(gold)] if gold else []


def wanted_ids(rows: Iterable[GoldRow]) -> set[str]:
    """Ids of the samples that gold rows name instead of bringing texts."""
    return {row.subject.id for row in rows if row.subject and not row.subject.answer}


def with_texts(rows: Iterable[GoldRow], samples: dict[str, Subject]) -> Iterator[GoldRow]:
    """Gold rows whose names are replaced by the samples of that name."""
    for row in rows:
        if row.subject is None or row.subject.answer:
            yield row
        elif found := samples.get(row.subject.id):
            yield GoldRow(row.id, found, row.said)
        else:
            yield GoldRow(row.id, rule="gold_without_text", detail=f"no sample {row.subject.id!r}")


def _row(gold: Gold, method: str, criteria: list[str], place: str, row: Row | None) -> GoldRow:
    if row is None:
        return GoldRow(place, rule="gold_unreadable", detail="no object")
    if any(_text(at_path(row, path)) != value for path, value in gold.only.items()):
        return GoldRow(place, rule="gold_not_wanted")
    name = _text(at_path(row, gold.id)) or place
    try:
        said = _said(gold, method, criteria, at_path(row, gold.verdict))
    except ValueError as error:
        return GoldRow(name, rule="gold_unreadable", detail=str(error))
    return GoldRow(name, _subject(gold, name, row), said)


def _subject(gold: Gold, name: str, row: Row) -> Subject:
    instruction, answer, opponent, reference = (
        _text(at_path(row, path)) for path in (gold.instruction, gold.answer, gold.opponent, gold.reference)
    )
    if not (instruction and answer):
        return Subject(name, "", "")
    return Subject(name, instruction, answer, reference or None, opponent or None)


def _said(gold: Gold, method: str, criteria: list[str], value: Any) -> dict[str, Said]:
    if isinstance(value, dict):
        found = {name: verdict(gold, method, value[name]) for name in criteria if value.get(name) is not None}
        if not found:
            raise ValueError(f"verdicts on {', '.join(value)}; expected one of {', '.join(criteria)}")
        return found
    return dict.fromkeys(criteria, verdict(gold, method, value))


def verdict(gold: Gold, method: str, value: Any) -> Said:
    """What people said, on the judge's scale. Raises `ValueError` where it is no verdict."""
    word = _text(value).strip().lower().removesuffix(".0")
    if method == "pairwise":
        if word not in WINNERS:
            raise ValueError(f"{word!r} is no verdict on a pair")
        return Said("score", WINNERS[word])
    if word in DECISIONS:
        return Said("decision", float(DECISIONS[word]))
    number = float(word)
    share = (number - gold.lowest) / (gold.highest - gold.lowest)
    if not 0 <= share <= 1:
        raise ValueError(f"{number:g} is not within {gold.lowest:g} and {gold.highest:g}")
    return Said("score", LOWEST + share * (HIGHEST - LOWEST))


def _text(value: Any) -> str:
    """A value as text; whole numbers without a point, so that a CSV and a Parquet file say the same."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
