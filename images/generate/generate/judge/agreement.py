"""How far two raters agree: counts of their pairs of verdicts, and what follows from them. No data, no model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Z95 = 1.959963984540054


class Confusion:
    """Counts of pairs of verdicts; `counts[i, j]` is how often the first rater said `labels[i]` and the second
    `labels[j]`. The labels are in their order, for weights."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.counts: Counts = np.zeros((len(self.labels), len(self.labels)), np.int64)

    def add(self, first: int, second: int) -> None:
        """Count one pair, by the places of its labels."""
        self.counts[first, second] += 1

    @property
    def agreement(self) -> "Agreement":
        """What the counts say."""
        return Agreement(self.counts)


@dataclass(frozen=True)
class Agreement:
    """Agreement of two raters. A figure is None where it is not defined: without items, or where chance alone would
    bring full agreement (both raters always say the same one thing)."""

    counts: Counts

    @property
    def items(self) -> int:
        """Number of pairs."""
        return int(self.counts.sum())

    @property
    def percent(self) -> float | None:
        """Share of equal verdicts (0 to 1)."""
        return float(np.trace(self.counts)) / self.items if self.items else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of `percent`."""
        return wilson(int(np.trace(self.counts)), self.items) if self.items else None

    @cached_property
    def kappa(self) -> float | None:
        """Cohen's kappa (Cohen 1960): every disagreement weighs the same."""
        return weighted_kappa(self.counts, 1 - np.eye(len(self.counts)))

    @cached_property
    def weighted_kappa(self) -> float | None:
        """Cohen's kappa with quadratic weights (Cohen 1968): two steps apart weigh four times as much as one."""
        places = np.arange(len(self.counts))
        return weighted_kappa(self.counts, np.subtract.outer(places, places).astype(np.float64) ** 2)

    def by(self, measure: str) -> float | None:
        """The measure of that name."""
        found: float | None = getattr(self, measure)
        return found


def weighted_kappa(counts: Counts, weights: npt.NDArray[np.float64]) -> float | None:
    """1 minus the weight of observed disagreement over that expected from the raters' own shares."""
    total = counts.sum()
    if not total:
        return None
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    chance = float((weights * expected).sum())
    return 1 - float((weights * counts).sum()) / chance if chance else None


def wilson(successes: float, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); inside 0 to 1 also for few trials. Half a success may count as such:
    the interval is then a little too wide, since halves vary less than wholes."""
    share, square = successes / trials, Z95**2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = Z95 / (1 + square / trials) * math.sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
