"""The comparison as one picture: test loss and distance from the author's style, a bar for each contestant."""

import html
from collections.abc import Sequence

from finetune.evaluate.comparison import BASE, PROMPTED, TUNED, Comparison

COLOURS = {BASE: "#9aa5b1", PROMPTED: "#c2874a", TUNED: "#2563eb", "": "#d8dee6"}
WIDTH, LEFT, BAR, GAP, HEAD = 720, 190, 22, 10, 34

Bar = tuple[str, str, float]
"""Name of a contestant (empty: the author), title, value."""


def draw(comparison: Comparison) -> str:
    """An SVG; the same figures give the same text."""
    losses: list[Bar] = [(each.name, each.title, each.loss.nats) for each in comparison.contestants]
    deltas: list[Bar] = [
        (each.name, each.title, each.style.delta) for each in comparison.contestants if each.style.delta is not None
    ]
    if deltas and comparison.words.again.delta is not None:
        deltas = [("", "The author's other answers", comparison.words.again.delta), *deltas]
    panels = [("Test loss (nats per token)", losses), ("Distance from the author's style (Delta)", deltas)]
    body, top = [], 8
    for title, bars in panels:
        if bars:
            body.append(_panel(title, bars, top))
            top += HEAD + len(bars) * (BAR + GAP) + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="#1b2333"><rect width="{WIDTH}" height="{top}" '
        f'fill="#fff"/>{"".join(body)}</svg>\n'
    )


def _panel(title: str, bars: Sequence[Bar], top: int) -> str:
    most = max(max(value for _, _, value in bars), 1e-9)
    parts = [f'<text x="8" y="{top + 18}" font-weight="600">{html.escape(title)}</text>']
    for place, (name, label, value) in enumerate(bars):
        y = top + HEAD + place * (BAR + GAP)
        length = max(value, 0) / most * (WIDTH - LEFT - 80)
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{html.escape(label)}</text>'
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="3" fill="{COLOURS[name]}"/>'
            f'<text x="{LEFT + length + 6:.1f}" y="{y + 16}">{value:.3f}</text>'
        )
    return "".join(parts)
