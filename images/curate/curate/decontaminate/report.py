"""What was found of each benchmark, for programs; `page.py` shows the same to people."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from contract.config.decontaminate import Benchmark
from curate.decontaminate.benchmarks import Item
from curate.decontaminate.matching import Match
from curate.decontaminate.passages import Common, Span
from curate.decontaminate.recall import Recall

SHOWN = 500  # findings shown with their texts; the ledger has them all
CHARACTERS = 2_000  # of a text that are shown
BEFORE = 400  # of them before the first passage


class Extract(NamedTuple):
    """A part of a text: it begins at character `start` of `whole`; `passages` are spans within the part."""

    text: str
    start: int
    whole: int
    passages: list[Span]


@dataclass
class Finding:
    """One row that holds one item."""

    item: int
    row: str
    rule: str
    value: float
    threshold: float
    item_text: Extract
    row_text: Extract


@dataclass
class Report:
    """The findings of one benchmark. `removed` counts rows that went because of it before any other benchmark."""

    benchmark: str
    items: int
    items_without_words: int
    rows_removed: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    rows_of_item: Counter[int] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    recall: list[Recall] = field(default_factory=list)

    @property
    def touched(self) -> list[int]:
        """The numbers of the items found."""
        return sorted(self.rows_of_item)

    @property
    def full(self) -> bool:
        """Whether further findings are counted only."""
        return len(self.findings) >= SHOWN

    def count(self, item: Item, match: Match, removed: bool) -> None:
        """Book that a row holds an item."""
        self.rows_of_item[item.number] += 1
        self.rules[match.rule] += 1
        self.rows_removed += removed

    def show(self, item: Item, match: Match, row: str, text: str, passages: Common) -> None:
        """Keep a finding with its texts, until the report is full."""
        if not self.full:
            texts = extract(item.text, passages.item), extract(text, passages.row)
            value, threshold = round(match.value, 6), round(match.threshold, 6)
            self.findings.append(Finding(item.number, row, match.rule, value, threshold, *texts))

    def as_json(self) -> str:
        """All of it, indented."""
        value = {
            "benchmark": self.benchmark,
            "items": self.items,
            "items_without_words": self.items_without_words,
            "items_touched": len(self.touched),
            "rows_removed": self.rows_removed,
            "rules": self.rules,
            "touched": self.touched,
            "recall": [recall._asdict() | {"share": round(recall.share, 6)} for recall in self.recall],
            "findings": [_plain(finding) for finding in self.findings],
        }
        return json.dumps(value, ensure_ascii=False, indent=1)


def reports_of(benchmarks: Sequence[Benchmark], items: Sequence[Item], worded: Sequence[bool]) -> dict[str, Report]:
    """An empty report for each benchmark; `worded` says of each item whether it has words to look for."""
    reports = {benchmark.name: Report(benchmark.name, 0, 0) for benchmark in benchmarks}
    for item, has_words in zip(items, worded, strict=True):
        reports[item.benchmark].items += 1
        reports[item.benchmark].items_without_words += not has_words
    return reports


def extract(text: str, passages: Sequence[Span]) -> Extract:
    """The part of a long text that holds its first passage, and what of the passages lies in it."""
    first = passages[0].start if passages and len(text) > CHARACTERS else 0
    start = max(0, min(first - BEFORE, len(text) - CHARACTERS))
    end = start + CHARACTERS
    inside = [Span(max(span.start, start) - start, min(span.end, end) - start) for span in passages]
    return Extract(text[start:end], start, len(text), [span for span in inside if span.start < span.end])


def _plain(finding: Finding) -> dict[str, object]:
    value: dict[str, object] = {name: getattr(finding, name) for name in ("item", "row", "rule", "value", "threshold")}
    for name, part in (("item", finding.item_text), ("row", finding.row_text)):
        value[f"{name}_text"] = part.text
        value[f"{name}_passages"] = [part.text[span.start : span.end] for span in part.passages]
    return value
