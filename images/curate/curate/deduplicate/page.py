"""The clusters of duplicates as a page that needs nothing else: each kept row beside rows that were dropped for it."""

import difflib
import re
from html import escape
from pathlib import Path
from typing import Any

from curate.deduplicate.clusters import LARGEST, MEMBERS, SHOWN

STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
TOKEN = re.compile(r"\w+|\W")
OPEN = 2  # clusters of a rule that are unfolded when the page opens
TITLES = {
    "exact": "Exact duplicates",
    "near_duplicate": "Near-duplicates",
    "semantic_duplicate": "Semantic duplicates",
    "mostly_shared": "Rows of shared passages",
}
MEASURES = {
    "exact": "similarity",
    "near_duplicate": "Jaccard similarity",
    "semantic_duplicate": "cosine",
    "mostly_shared": "share of its words",
}
SIZES = ((2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, 1_000), (1_001, None))
"""Sizes of clusters that share a line, from and to; None is without end."""


def page(clusters: dict[str, dict[str, Any]]) -> str:
    """One HTML page of `duplicates.json`: figures, then by rule the sizes and the largest clusters side by side."""
    found = {rule: facts for rule, facts in clusters.items() if facts["clusters"]}
    sections = "".join(_section(rule, facts) for rule, facts in found.items())
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Duplicates</title>'
        f"<style>{STYLE}</style><header><h1>Duplicates</h1>{_figures(found)}</header>"
        f"<main>{sections or '<p>No row repeats another.</p>'}</main></html>\n"
    )


def _figures(found: dict[str, dict[str, Any]]) -> str:
    cells = "".join(
        f"<li><b>{_dropped(facts):,}</b> {TITLES[rule].lower()}, of {facts['clusters']:,} rows kept"
        for rule, facts in found.items()
    )
    return f"<ul class=figures>{cells}</ul>" if cells else ""


def _dropped(facts: dict[str, Any]) -> int:
    """Rows of all clusters but the kept ones."""
    return sum((int(size) - 1) * number for size, number in facts["sizes"].items())


def _section(rule: str, facts: dict[str, Any]) -> str:
    shown = facts["largest"]
    lead = (
        f"At most {LARGEST} of {facts['clusters']:,} clusters, the largest first; of each the kept row and at most "
        f"{MEMBERS} of the dropped ones, the least alike first. Texts end after {SHOWN} characters. The ledger has "
        "every dropped row with its partner."
    )
    clusters = "".join(_cluster(cluster, MEASURES[rule], place < OPEN) for place, cluster in enumerate(shown))
    return f"<section><h2>{TITLES[rule]}</h2><p class=lead>{lead}</p>{_sizes(facts['sizes'])}{clusters}</section>"


def _sizes(sizes: dict[str, int]) -> str:
    """How many clusters there are of each size."""
    counted = [(span, sum(number for size, number in sizes.items() if _within(int(size), *span))) for span in SIZES]
    most = max(number for _, number in counted)
    rows = "".join(
        f"<tr><td>{_span(*span)}<td>{number:,}<td class=bar><span style='width:{number / most:.1%}'></span>"
        for span, number in counted
        if number
    )
    return f"<table class=sizes><tr><th>rows in a cluster<th>clusters<th></tr>{rows}</table>"


def _within(size: int, first: int, last: int | None) -> bool:
    return first <= size and (last is None or size <= last)


def _span(first: int, last: int | None) -> str:
    if last is None:
        return f"{first:,} and more"
    return f"{first:,}" if first == last else f"{first:,}–{last:,}"


def _cluster(cluster: dict[str, Any], measure: str, unfolded: bool) -> str:
    kept, members = cluster["kept"], cluster["members"]
    left = cluster["size"] - 1 - len(members)
    more = f"<p class=more>and {left:,} more</p>" if left else ""
    rows = "".join(_member(member, measure, kept["text"] or "") for member in members)
    return (
        f"<details{' open' * unfolded}><summary><b>{cluster['size']:,} rows</b> "
        f"<span>{escape(' '.join((kept['text'] or '').split()))}</span></summary><div class=sides>"
        f"<section class=kept><h3>kept <b>{escape(kept['id'])}</b></h3><pre>{_text(kept['text'])}</pre></section>"
        f"<section>{rows}{more}</section></div></details>"
    )


def _member(member: dict[str, Any], measure: str, kept: str) -> str:
    head = f"dropped <b>{escape(member['id'])}</b> · {measure} <b>{member['similarity']:.3g}</b>"
    return f"<article><h3>{head}</h3><pre>{_marked(member['text'] or '', kept)}{_end(member['text'])}</pre></article>"


def _text(text: str | None) -> str:
    return "<i>a row of another dataset</i>" if text is None else escape(text) + _end(text)


def _end(text: str | None) -> str:
    """Dots where a text goes on."""
    return " …" if text is not None and len(text) >= SHOWN else ""


def _marked(text: str, kept: str) -> str:
    """A text with the words marked that the kept one has not in that place; all plain where that one is not known."""
    if not kept:
        return escape(text)
    ours, theirs = TOKEN.findall(text), TOKEN.findall(kept)
    steps = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    parts = []
    for step, begin, end, _, last in steps:
        part = escape("".join(ours[begin:end]))
        beyond = last == len(theirs) and len(kept) >= SHOWN  # the kept text may go on in the same way
        parts.append(part if step == "equal" or beyond or not part.strip() else f"<mark>{part}</mark>")
    return "".join(parts)
