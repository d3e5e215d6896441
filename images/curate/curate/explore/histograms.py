"""Histograms over bins of a round width."""

from collections.abc import Iterable, Sequence
from math import ceil, floor, isfinite, log10

import numpy as np

BINS = 24


def histogram(lengths: Iterable[int]) -> list[dict[str, int]]:
    """Counts in about `BINS` bins of a round width; the last bin holds all that is longer than 99 % of the rest."""
    values = np.array(list(lengths), np.int64)
    if not len(values):
        return []
    top = max(int(np.quantile(values, 0.99)), 1)
    width = max(int(_round_up(top / BINS)), 1)
    bins = np.minimum(values // width, top // width)
    counts = np.bincount(bins, minlength=top // width + 1).tolist()
    return [{"from": i * width, "to": (i + 1) * width - 1, "count": count} for i, count in enumerate(counts)]


def score_histogram(scores: Sequence[float]) -> list[dict[str, float]]:
    """Counts of finite scores in at most `BINS` + 2 bins, from one round number to the next; the last holds its end."""
    values = np.array([score for score in scores if isfinite(score)], np.float64)
    if not len(values):
        return []
    low, high = float(values.min()), float(values.max())
    width = _round_up((high - low) / BINS) if isfinite(high - low) and high > low else 0.0
    if not width or not isfinite(low / width):
        return [{"from": low, "to": high, "count": len(values)}]
    first = floor(low / width)
    last = max(ceil(round(high / width, 9)) - 1, first)
    places = np.clip(np.floor(values / width).astype(np.int64), first, last) - first
    return [
        {"from": _plain((first + i) * width), "to": _plain((first + i + 1) * width), "count": count}
        for i, count in enumerate(np.bincount(places).tolist())
    ]


def _round_up(width: float) -> float:
    """The next of ... 0.1, 0.2, 0.5, 1, 2, 5, 10 ..."""
    scale = 10.0 ** floor(log10(width))
    return next((step * scale for step in (1, 2, 5) if step * scale >= width), 10 * scale)


def _plain(value: float) -> float:
    """Without the last digits that multiplying left."""
    return float(f"{value:.10g}")
