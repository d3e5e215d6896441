"""The picture of `measure_rephrased.py`: recall against false positives, a curve for each way to find."""

from collections.abc import Mapping

import numpy as np

COLOURS = ("#1f5fa8", "#2a9d8f", "#a8501f", "#8a93a3")
LEAST, MOST = 0.0005, 0.1  # shares of false positives, on a scale of powers
SHARES = (0, 0.25, 0.5, 0.75, 1)
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
MARKED = 0.01


def drawn(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], empty: int) -> str:
    """SVG of some curves, each the scores of the rephrased items and of unrelated rows; `empty` copies say nothing."""
    items = len(next(iter(curves.values()))[0])
    most = _y(1 - empty / items)
    lines = "".join(
        _curve(name, found, unrelated, number) for number, (name, (found, unrelated)) in enumerate(curves.items())
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 410" font-family="system-ui, sans-serif"'
        ' font-size="13"><rect width="720" height="410" fill="white"/>'
        '<text x="70" y="24" font-size="15" font-weight="600">Rephrased HumanEval items found</text>'
        f"{_grid()}"
        f'<line x1="70" x2="690" y1="{most:.1f}" y2="{most:.1f}" stroke="#8a93a3" stroke-dasharray="4 4"/>'
        f'<text x="76" y="{most - 6:.1f}" fill="#5a6475">{empty} of the {items} copies are empty</text>'
        f'{lines}<text x="380" y="392" text-anchor="middle" fill="#5a6475">unrelated code rows taken for an item</text>'
        "</svg>\n"
    )


def recall(found: np.ndarray, unrelated: np.ndarray, rate: float) -> float:
    """Share of `found` above the threshold that takes that share of unrelated rows for an item."""
    return float((found > np.quantile(unrelated, 1 - rate)).mean())


def _curve(name: str, found: np.ndarray, unrelated: np.ndarray, number: int) -> str:
    colour, at = COLOURS[number], recall(found, unrelated, MARKED)
    rates = np.geomspace(LEAST, MOST, 80).tolist()
    points = " ".join(f"{_x(rate):.1f},{_y(recall(found, unrelated, rate)):.1f}" for rate in rates)
    below = 185 + 20 * number
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        f'<circle cx="{_x(MARKED):.1f}" cy="{_y(at):.1f}" r="5" fill="{colour}"/>'
        f'<circle cx="82" cy="{below - 4}" r="5" fill="{colour}"/>'
        f'<text x="94" y="{below}" fill="{colour}">{name}: {at * len(found):.0f} at {MARKED:.0%}</text>'
    )


def _grid() -> str:
    across = "".join(
        f'<line x1="70" x2="690" y1="{_y(share):g}" y2="{_y(share):g}" stroke="#dde2ea"/>'
        f'<text x="60" y="{_y(share) + 4:g}" text-anchor="end" fill="#5a6475">{share:.0%}</text>'
        for share in SHARES
    )
    return across + "".join(
        f'<line x1="{_x(rate):.1f}" x2="{_x(rate):.1f}" y1="40" y2="340" stroke="#dde2ea"/>'
        f'<text x="{_x(rate):.1f}" y="360" text-anchor="middle" fill="#5a6475">{rate:.1%}</text>'
        for rate in RATES
    )


def _x(rate: float) -> float:
    return float(70 + 620 * np.log(rate / LEAST) / np.log(MOST / LEAST))


def _y(share: float) -> float:
    return 340 - 300 * share
