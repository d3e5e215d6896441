"""What was found of each benchmark, as JSON for programs and HTML for people: item and row side by side."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path

from contract.config.decontaminate import Benchmark
from curate.decontaminate.benchmarks import Item
from curate.decontaminate.matching import Match

SHOWN = 500  # findings shown with their texts; the ledger has them all
CHARACTERS = 2_000
STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")


@dataclass
class Finding:
    """One row that holds one item."""

    item: int
    row: str
    rule: str
    value: float
    passage: str
    item_text: str
    row_text: str


@dataclass
class Report:
    """The findings of one benchmark. `removed` counts rows that went because of it before any other benchmark."""

    benchmark: str
    items: int
    items_without_words: int
    rows_removed: int = 0
    touched: set[int] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def add(self, item: Item, match: Match, row: str, text: str, passage: str, removed: bool) -> None:
        """Book that a row holds an item."""
        self.touched.add(item.number)
        self.rows_removed += removed
        if len(self.findings) < SHOWN:
            texts = (_around(item.text, ""), _around(text, passage))
            value = round(match.value, 6)
            self.findings.append(Finding(item.number, row, match.rule, value, passage[:CHARACTERS], *texts))

    def as_json(self) -> str:
        """All of it, indented."""
        value = asdict(self) | {"items_touched": len(self.touched), "touched": sorted(self.touched)}
        return json.dumps(value, ensure_ascii=False, indent=1)

    def as_html(self) -> str:
        """One page that needs nothing else."""
        title = f"Benchmark {escape(self.benchmark)}"
        figures = "".join(
            f"<li><b>{number:,}</b> {name}</li>"
            for number, name in [
                (self.items, "items"),
                (len(self.touched), "items found in the data"),
                (self.rows_removed, "rows removed"),
                (self.items_without_words, "items without words, never found"),
            ]
        )
        findings = "".join(map(_finding, self.findings)) or "<p>Nothing of this benchmark is in the data.</p>"
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
            f"<h1>{title}</h1><ul class=figures>{figures}</ul>{findings}</html>\n"
        )


def reports_of(benchmarks: Sequence[Benchmark], items: Sequence[Item], worded: Sequence[bool]) -> dict[str, Report]:
    """An empty report for each benchmark; `worded` says of each item whether it has words to look for."""
    reports = {benchmark.name: Report(benchmark.name, 0, 0) for benchmark in benchmarks}
    for item, has_words in zip(items, worded, strict=True):
        reports[item.benchmark].items += 1
        reports[item.benchmark].items_without_words += not has_words
    return reports


def _finding(finding: Finding) -> str:
    head = f"Item {finding.item} in row {escape(finding.row)}: {escape(finding.rule)} {finding.value:g}"
    sides = "".join(
        f"<td><pre>{_marked(text, finding.passage)}</pre></td>" for text in (finding.item_text, finding.row_text)
    )
    return f"<h2>{head}</h2><table><tr><th>Benchmark item</th><th>Row</th></tr><tr>{sides}</tr></table>"


def _marked(text: str, passage: str) -> str:
    start = text.lower().find(passage.lower()) if passage else -1
    if start < 0:
        return escape(text)
    end = start + len(passage)
    return f"{escape(text[:start])}<mark>{escape(text[start:end])}</mark>{escape(text[end:])}"


def _around(text: str, passage: str) -> str:
    """The part of a long text that holds the passage."""
    if len(text) <= CHARACTERS:
        return text
    start = max(0, text.lower().find(passage.lower()) - CHARACTERS // 4) if passage else 0
    return ("… " if start else "") + text[start : start + CHARACTERS] + (" …" if start + CHARACTERS < len(text) else "")
