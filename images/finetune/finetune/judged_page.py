"""A judge's comparison to be read: tables of pairs, for a page of its own and for the model's card."""

from collections.abc import Iterator, Sequence

from finetune.judged import Criterion, Gate, Judged, Pairs, percent

HEAD = ("won", "tied", "lost", "win rate (95 % interval)", "no verdict")
NOTE = (
    "Each pair was shown in both orders; where the two verdicts disagree it is a tie. A tie counts half in the win "
    "rate. The very same text is a tie and an empty answer loses, without being asked about. Pairs without a verdict "
    "count neither way. The interval is Wilson's (1927)."
)


def as_markdown(judged: Judged, gate: Gate) -> str:
    """The page: sentence, gate, a table for each criterion, what order and length did."""
    lines = ["# The tuned model's answers, judged", "", judged.sentence, "", *_gate(gate), ""]
    for criterion in judged.criteria:
        lines += [f"## {criterion.name}", "", criterion.question, "", *table_of(kinds(criterion), "kind"), ""]
        lines += [_biases(criterion), ""]
    return "\n".join([*lines, NOTE]) + "\n"


def card_section(judged: Judged) -> str:
    """What a model's card says of it."""
    rows = [(criterion.name, criterion.pairs) for criterion in judged.criteria]
    parts = ["## Judged answers", judged.sentence, "\n".join(table_of(rows, "criterion")), NOTE]
    return "\n\n".join(parts)


def kinds(criterion: Criterion) -> list[tuple[str, Pairs]]:
    """All pairs, and those of each kind where there are several."""
    return [("all", criterion.pairs), *(criterion.by_kind if len(criterion.by_kind) > 1 else ())]


def table_of(rows: Sequence[tuple[str, Pairs]], what: str) -> list[str]:
    """Pairs as a Markdown table."""
    cells = [(what, *HEAD), ("---",) * (1 + len(HEAD)), *((name, *_cells(pairs)) for name, pairs in rows)]
    return [f"| {' | '.join(row)} |" for row in cells]


def _cells(pairs: Pairs) -> Iterator[str]:
    yield from (f"{number:,}" for number in (pairs.wins, pairs.ties, pairs.losses))
    yield pairs.rate
    yield f"{pairs.undecided:,}"


def _gate(gate: Gate) -> list[str]:
    return [f"Gate {gate}{': ' if gate.reasons else ''}{'; '.join(gate.reasons)}."]


def _biases(criterion: Criterion) -> str:
    same = "unknown" if criterion.consistency is None else percent(criterion.consistency)
    lean = "unknown" if criterion.lean is None else f"{100 * criterion.lean:+.1f} points"
    people = "not measured" if criterion.agreement is None else f"{percent(criterion.agreement)} of {criterion.gold:,}"
    return (
        f"Same verdict in both orders: {same} of pairs. Lean to the longer answer: {lean}. "
        f"Same verdict as people: {people}."
    )
