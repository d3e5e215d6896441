"""The report of one benchmark as a page that needs nothing else: each item beside the rows that hold it."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from curate.decontaminate.report import SHOWN, Extract, Finding, Report

STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
OPEN = 3  # items whose texts are unfolded when the page opens
KINDS_IN_WORDS = {
    "copy": "none",
    "case": "other case",
    "punctuation": "other punctuation",
    "words_1": "1 % of words edited",
    "words_3": "3 % of words edited",
    "words_5": "5 % of words edited",
    "words_10": "10 % of words edited",
    "sentences": "sentences moved",
    "embedded": "inside other text",
    "paraphrase": "given paraphrases",
}
LINE = 110  # characters of a text in its folded line


def page(report: Report) -> str:
    """One HTML page: figures, an index of the items found, then item and rows side by side, common passages marked."""
    title = f"Benchmark {escape(report.benchmark)}"
    by_item = sorted(report.findings, key=lambda finding: finding.item)
    groups = [(item, list(found)) for item, found in groupby(by_item, lambda finding: finding.item)]
    shown = "".join(_item(report, found, place < OPEN) for place, (_, found) in enumerate(groups))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<header><h1>{title}</h1>{_figures(report)}</header>"
        f"{_recall(report)}{_index(report, [item for item, _ in groups])}"
        f"<main>{shown or '<p>Nothing of this benchmark is in the data.</p>'}</main></html>\n"
    )


def _figures(report: Report) -> str:
    figures = [
        (report.items, "items"),
        (len(report.touched), "items found in the data"),
        (report.rows_removed, "rows removed"),
        *((number, f"by {rule.replace('_', ' ')}") for rule, number in report.rules.items()),
    ]
    if report.items_without_words:
        figures.append((report.items_without_words, "items without words, never found"))
    cells = "".join(f"<li><b>{number:,}</b> {escape(name)}</li>" for number, name in figures)
    return f"<ul class=figures>{cells}</ul>"


def _recall(report: Report) -> str:
    """What the recipe's rules catch of copies of the items, by kind of change."""
    if not report.recall:
        return ""
    rules = sorted({rule for recall in report.recall for rule in recall.rules})
    head = "".join(f"<th>{escape(rule.replace('_', ' '))}" for rule in rules)
    rows = "".join(
        f"<tr><th>{escape(KINDS_IN_WORDS.get(recall.kind, recall.kind))}<td>{recall.tried:,}<td class=share>"
        f'<meter value="{recall.share:.4f}"></meter> {recall.share:.1%}'
        + "".join(f"<td>{recall.rules.get(rule, 0) / max(recall.tried, 1):.1%}" for rule in rules)
        for recall in report.recall
    )
    return (
        "<section class=recall><h2>What would be caught: copies of the items through the same rules</h2>"
        f"<table><tr><th>change<th>copies<th>caught{head}</tr>{rows}</table></section>"
    )


def _index(report: Report, items: Sequence[int]) -> str:
    """A link to each item shown, with how many rows hold it; and what is not shown."""
    if not items:
        return ""
    links = " ".join(
        f'<a href="#item-{item}">{item}{f"<sub>×{rows}</sub>" if (rows := report.rows_of_item[item]) > 1 else ""}</a>'
        for item in items
    )
    findings = report.rows_of_item.total()
    more = f"<p>The first {SHOWN} of {findings:,} findings; the ledger has them all.</p>" if findings > SHOWN else ""
    return f"<nav><b>Items</b> {links}{more}</nav>"


def _item(report: Report, found: Sequence[Finding], unfolded: bool) -> str:
    first = found[0]
    rows = report.rows_of_item[first.item]
    head = (
        f"<b>Item {first.item}</b> <span class=count>{rows:,} row{'s' * (rows != 1)}</span> "
        f"<span class=line>{escape(_line(first.item_text.text))}</span>"
    )
    cells = "".join(map(_row, found))
    return (
        f'<details{" open" * unfolded}><summary>{head}</summary><div class=sides id="item-{first.item}">'
        f"<section class=item><h2>Benchmark item</h2><pre>{_marked(first.item_text)}</pre></section>"
        f"<section><h2>Data</h2>{cells}</section></div></details>"
    )


def _row(finding: Finding) -> str:
    said = f"{finding.rule.replace('_', ' ')} {finding.value:.3g}"
    head = f"<b>{escape(finding.row)}</b> <span class=rule>{escape(said)}</span>"
    return f"<article><h3>{head}</h3><pre>{_marked(finding.row_text)}</pre></article>"


def _marked(extract: Extract) -> str:
    """The text with its passages marked, and dots where it was cut."""
    parts, done = ["<i>… </i>" if extract.start else ""], 0
    for span in extract.passages:
        parts.append(escape(extract.text[done : span.start]))
        parts.append(f"<mark>{escape(extract.text[span.start : span.end])}</mark>")
        done = span.end
    parts.append(escape(extract.text[done:]))
    parts.append("<i> …</i>" if extract.start + len(extract.text) < extract.whole else "")
    return "".join(parts)


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LINE else flat[:LINE].rstrip() + " …"
