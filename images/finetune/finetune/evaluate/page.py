"""The comparison as a page of its own: verdict, picture, tables, and all answers side by side."""

import html
from collections.abc import Sequence

from finetune.evaluate.comparison import Comparison, Contestant
from finetune.evaluate.picture import draw
from finetune.evaluate.report import (
    LOSS_COLUMNS,
    STYLE_COLUMNS,
    STYLE_NOTE,
    forgetting_sentence,
    loss_table,
    prompted_note,
    style_table,
)

STYLE = (
    "body{font:15px/1.55 system-ui,sans-serif;color:#1b2333;max-width:1120px;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.35em .8em;border-bottom:1px solid #e1e6ee;text-align:right}"
    "td:first-child,th:first-child{text-align:left}th{font-weight:500;color:#5b667a}svg{max-width:100%;height:auto}"
    ".verdict{font-size:1.1em;border-left:4px solid #2563eb;padding:.4em 1em;background:#f5f7fa}"
    ".answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(230px,1fr));gap:1em;margin-bottom:2em}"
    ".answers div{border:1px solid #e1e6ee;border-radius:8px;padding:.7em .9em;white-space:pre-wrap;"
    "overflow-wrap:anywhere}.answers h4{margin:0 0 .4em;color:#5b667a}.note{color:#5b667a;font-size:.88em}"
)


def as_html(comparison: Comparison) -> str:
    """A page that needs nothing else; the same comparison gives the same text."""
    note = (
        f"Test split, {comparison.base.loss.tokens:,} learned tokens, the same template for all"
        f"{prompted_note(comparison)}. {forgetting_sentence(comparison)}"
    )
    checks = "".join(f"<li>{html.escape(str(check))}</li>" for check in comparison.checks)
    parts = [
        "<h1>Base against tuned</h1>",
        f'<p class="verdict">{html.escape(comparison.verdict.sentence)}</p>',
        f"<h2>Gate {comparison.gate}</h2><ul>{checks}</ul>",
        draw(comparison),
        _table(("", *LOSS_COLUMNS), loss_table(comparison)),
        f'<p class="note">{html.escape(note)} Of the answers in the data, {comparison.words.longest_copy} words in a '
        "row stand in a train answer too.</p>",
        "<h2>Style</h2>",
        _table(("", *STYLE_COLUMNS), style_table(comparison)),
        f'<p class="note">{html.escape(STYLE_NOTE)}</p>',
        "<h2>Answers</h2>",
        *(_answers(comparison, number) for number in range(len(comparison.asked))),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Base against tuned</title>'
        f"<style>{STYLE}</style>{''.join(parts)}</html>\n"
    )


def _answers(comparison: Comparison, number: int) -> str:
    sample = comparison.asked[number]
    cards = [_card("In the data", sample.answer, "")]
    for contestant in comparison.contestants:
        cards.append(_card(contestant.title, contestant.measured.answers[number].text, _remarks(contestant, number)))
    return f'<h3>{html.escape(sample.instruction)}</h3><div class="answers">{"".join(cards)}</div>'


def _remarks(contestant: Contestant, number: int) -> str:
    copied = contestant.copied[number]
    remarks = ["did not end"] if contestant.measured.answers[number].runaway else []
    remarks += [f"{copied.words} words in a row from a train answer: “{copied.text}”"] if copied.words else []
    return "; ".join(remarks)


def _card(title: str, text: str, remark: str) -> str:
    note = f'<p class="note">{html.escape(remark)}</p>' if remark else ""
    return f"<div><h4>{html.escape(title)}</h4>{html.escape(text or '(nothing)')}{note}</div>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
