"""How good a classifier's probabilities are on texts that it has not seen."""

from typing import Any

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
BINS = 10


def auc(scores: Scores, high: Labels) -> float:
    """Area under the ROC curve: how often a good text scores above a bad one, equal scores counting half."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    goods, bads = int(high.sum()), int((~high).sum())
    return float((ranks[high].sum() - goods * (goods + 1) / 2) / (goods * bads))


def at_threshold(scores: Scores, high: Labels, threshold: float) -> dict[str, Any]:
    """What a filter with this least probability would do: share kept, precision and recall of the good texts."""
    kept = scores >= threshold
    right = int((kept & high).sum())
    return {
        "threshold": threshold,
        "kept": round(float(kept.mean()), 4),
        "precision": round(right / int(kept.sum()), 4) if kept.any() else None,
        "recall": round(right / int(high.sum()), 4),
    }


def calibration(scores: Scores, high: Labels) -> list[dict[str, Any]]:
    """For each tenth of the probabilities: how many texts, their mean probability, and how many of them are good."""
    places = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        {
            "from": place / BINS,
            "texts": int(inside.sum()),
            "probability": round(float(scores[inside].mean()), 4),
            "good": round(float(high[inside].mean()), 4),
        }
        for place in range(BINS)
        if (inside := places == place).any()
    ]


def calibration_error(table: list[dict[str, Any]]) -> float:
    """Expected calibration error: the mean gap between probability and share of good texts (Naeini et al. 2015)."""
    texts = sum(row["texts"] for row in table)
    gaps = sum(row["texts"] * abs(row["probability"] - row["good"]) for row in table)
    return round(float(gaps / texts), 4)


def report(scores: Scores, high: Labels) -> dict[str, Any]:
    """All of it as plain values. `brier` is the mean squared error of the probability (Brier 1950)."""
    table = calibration(scores, high)
    return {
        "texts": len(high),
        "good": int(high.sum()),
        "auc": round(auc(scores, high), 4),
        "brier": round(float(((scores - high) ** 2).mean()), 4),
        "calibration_error": calibration_error(table),
        "thresholds": [at_threshold(scores, high, threshold) for threshold in THRESHOLDS],
        "calibration": table,
    }
