"""A judge's comparison as one picture: a bar of won, tied, lost and undecided pairs for each criterion and kind."""

import html
from collections.abc import Iterator

from finetune.judged import Criterion, Judged, Pairs
from finetune.judged_page import kinds

COLOURS = {"won": "#2563eb", "tied": "#d8dee6", "lost": "#c2874a", "no verdict": "#ffffff"}
WIDTH, LEFT, LENGTH, BAR, GAP, HEAD, LEGEND = 760, 130, 400, 22, 10, 34, 34


def draw_judged(judged: Judged) -> str:
    """An SVG; the same figures give the same text."""
    body, top = [_legend()], LEGEND
    for criterion in judged.criteria:
        body.append(_panel(criterion, top))
        top += HEAD + len(kinds(criterion)) * (BAR + GAP) + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="#1b2333"><rect width="{WIDTH}" height="{top}" '
        f'fill="#fff"/>{"".join(body)}</svg>\n'
    )


def _legend() -> str:
    parts = []
    for place, (name, colour) in enumerate(COLOURS.items()):
        x = LEFT + place * 100
        parts.append(f'<rect x="{x}" y="10" width="14" height="14" fill="{colour}" stroke="#9aa5b1"/>')
        parts.append(f'<text x="{x + 20}" y="22">{name}</text>')
    parts.append(f'<text x="{LEFT + LENGTH + 8}" y="22">win rate (95 % interval)</text>')
    return "".join(parts)


def _panel(criterion: Criterion, top: int) -> str:
    parts = [f'<text x="8" y="{top + 20}" font-weight="600">{html.escape(criterion.name)}</text>']
    for place, (name, pairs) in enumerate(kinds(criterion)):
        y = top + HEAD + place * (BAR + GAP)
        parts.append(f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{html.escape(name)}</text>')
        parts += _bar(pairs, y)
        parts.append(f'<text x="{LEFT + LENGTH + 8}" y="{y + 16}">{html.escape(pairs.rate)}</text>')
    return "".join(parts)


def _bar(pairs: Pairs, y: int) -> Iterator[str]:
    """Won on the left, lost on the right of the ties, and what nobody decided at the end."""
    x = float(LEFT)
    parts = zip(COLOURS, (pairs.wins, pairs.ties, pairs.losses, pairs.undecided), strict=True)
    for name, number in parts:
        if number:
            length = number / pairs.number * LENGTH
            yield (
                f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{COLOURS[name]}" '
                f'stroke="#9aa5b1"><title>{number} {name}</title></rect>'
            )
            x += length
