"""The report as JSON for programs, and as one HTML page that needs nothing else, with differences marked."""

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from curate.clean.tally import CUT

FOLDER = Path(__file__).parent
Step = tuple[str, int, int, int, int]
SURE = 6
"""Words, marks and spaces one after another that two texts do not share by chance."""
TOKEN = re.compile(r"\w+|[^\w\s]|\s")
VISIBLE = str.maketrans({"\n": "↵\n", "\t": "⇥", "\u00a0": "⍽", "\r": "␍", "\u200b": "∅", "\ufeff": "∅", "\u00ad": "∅"})
"""How characters look that nobody can see, where they were taken out or put in."""


def as_json(facts: dict[str, Any]) -> str:
    """All of it, indented."""
    return json.dumps(facts, ensure_ascii=False, indent=1)


def as_html(facts: dict[str, Any]) -> str:
    """The page; every text is escaped, by the template or by `marked`."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"marked": marked}
    style = (FOLDER / "report.css").read_text(encoding="utf-8")
    return str(environment.get_template("report.html.j2").render(style=style, **facts))


def marked(example: dict[str, str]) -> tuple[str, str]:
    """Both texts of an example as HTML, what only one of them has marked."""
    before, after = (TOKEN.findall(example[side].removesuffix(CUT)) for side in ("before", "after"))
    steps = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    goes_on = [example[side].endswith(CUT) for side in ("before", "after")]
    if all(goes_on) and len(steps) > 2 and steps[-1][0] != "equal":
        steps.pop()  # both go on, but not from the same place
    sure = steps if all(goes_on) else steps[: _sure(steps)]
    left = _side(((step, before[a:b]) for step, a, b, _, _ in steps), "del", len(sure) if goes_on[1] else len(steps))
    right = _side(((step, after[c:d]) for step, _, _, c, d in steps), "ins", len(sure) if goes_on[0] else len(steps))
    return left + _end(example["before"]), right + _end(example["after"])


def _sure(steps: Sequence[Step]) -> int:
    """Up to which step two texts surely run side by side: beyond, what one shows may stand where the other was cut."""
    long = (place for place, (step, start, end, _, _) in enumerate(steps) if step == "equal" and end - start >= SURE)
    return max(long, default=-1) + 1


def _side(parts: Iterable[tuple[str, list[str]]], tag: str, sure: int) -> str:
    html = []
    for place, (step, tokens) in enumerate(parts):
        text = "".join(tokens)
        plain = step == "equal" or not text or place >= sure
        html.append(escape(text) if plain else f"<{tag}>{escape(text.translate(VISIBLE))}</{tag}>")
    return "".join(html)


def _end(text: str) -> str:
    return CUT if text.endswith(CUT) else ""
