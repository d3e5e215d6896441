"""The report as JSON for programs, and as one HTML page that needs nothing else, with differences marked."""

import difflib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from curate.clean.tally import CUT

FOLDER = Path(__file__).parent
TOKEN = re.compile(r"\w+|[^\w\s]|\s")
VISIBLE = str.maketrans({"\n": "↵\n", "\t": "⇥", "\u00a0": "⍽", "\r": "␍", "\u200b": "∅", "\ufeff": "∅", "\u00ad": "∅"})
"""How characters look that nobody can see, where they were taken out or put in."""


def as_json(facts: dict[str, Any]) -> str:
    """All of it, indented."""
    return json.dumps(facts, ensure_ascii=False, indent=1)


def as_html(facts: dict[str, Any]) -> str:
    """The page; every text is escaped."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"marked": marked}
    style = (FOLDER / "report.css").read_text(encoding="utf-8")
    return str(environment.get_template("report.html.j2").render(style=style, **facts))


def marked(example: dict[str, str]) -> tuple[Markup, Markup]:
    """Both texts of an example, what only one of them has marked."""
    before, after = (TOKEN.findall(example[side].removesuffix(CUT)) for side in ("before", "after"))
    steps = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    if (
        example["before"].endswith(CUT)
        and example["after"].endswith(CUT)
        and len(steps) > 2
        and steps[-1][0] != "equal"
    ):
        steps.pop()  # both go on, but not from the same place
    sides = ([(op, before[a:b]) for op, a, b, _, _ in steps], [(op, after[c:d]) for op, _, _, c, d in steps])
    ends = (CUT if example[side].endswith(CUT) else "" for side in ("before", "after"))
    marks = (_side(parts, tag) for parts, tag in zip(sides, ("del", "ins"), strict=True))
    first, second = (mark + end for mark, end in zip(marks, ends, strict=True))
    return first, second


def _side(parts: Sequence[tuple[str, list[str]]], tag: str) -> Markup:
    html = Markup("")
    for step, tokens in parts:
        text = "".join(tokens)
        if step == "equal":
            html += escape(text)
        elif text:
            html += Markup("<{0}>{1}</{0}>").format(Markup(tag), text.translate(VISIBLE))
    return html
