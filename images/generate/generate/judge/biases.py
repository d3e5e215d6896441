"""What a judge's verdicts owe to order and length rather than to the answers. No data, no model."""

import math
from collections import Counter
from dataclasses import dataclass, field

from generate.judge.verdicts import Side


@dataclass
class Orders:
    """Pairwise verdicts, each pair shown in both orders."""

    pairs: int = 0
    consistent: int = 0
    first: int = 0
    second: int = 0

    def add(self, sides: tuple[Side, Side]) -> None:
        """Count one pair: who was better when the answer was shown first, and when it was shown second."""
        self.pairs += 1
        self.consistent += sides[0] == sides[1]
        self.first += (sides[0] == "answer") + (sides[1] == "opponent")
        self.second += (sides[0] == "opponent") + (sides[1] == "answer")

    @property
    def consistency(self) -> float | None:
        """Share of pairs with the same verdict in both orders (0 to 1)."""
        return self.consistent / self.pairs if self.pairs else None

    @property
    def bias(self) -> float | None:
        """Share of verdicts for the answer shown first minus that for the second (-1 to 1). A judge that takes the
        first with probability b and else decides by the answers has b, since every pair is shown both ways."""
        return (self.first - self.second) / (2 * self.pairs) if self.pairs else None


@dataclass
class Line:
    """The straight line through points, from sums alone. Fewer than three points, or all at one place, have none."""

    points: int = 0
    x: float = 0
    y: float = 0
    xx: float = 0
    xy: float = 0
    yy: float = 0

    def add(self, x: float, y: float) -> None:
        """Take in one point."""
        self.points += 1
        self.x += x
        self.y += y
        self.xx += x * x
        self.xy += x * y
        self.yy += y * y

    @property
    def mean_x(self) -> float:
        """Mean of the places; 0 without points."""
        return self.x / self.points if self.points else 0.0

    @property
    def mean_y(self) -> float | None:
        """Mean of the values."""
        return self.y / self.points if self.points else None

    @property
    def slope(self) -> float | None:
        """Rise per unit, by least squares."""
        spread = self._spread(self.xx, self.x, self.x)
        return self._spread(self.xy, self.x, self.y) / spread if self.points > 2 and spread > 0 else None

    @property
    def slope_error(self) -> float | None:
        """Standard error of the slope."""
        slope = self.slope
        if slope is None:
            return None
        rest = max(0.0, self._spread(self.yy, self.y, self.y) - slope * self._spread(self.xy, self.x, self.y))
        return math.sqrt(rest / (self.points - 2) / self._spread(self.xx, self.x, self.x))

    @property
    def trend(self) -> float:
        """The slope where it differs from 0 by more than chance explains (two standard errors), else 0."""
        slope, error = self.slope, self.slope_error
        return slope if slope is not None and error is not None and abs(slope) > 2 * error else 0.0

    @property
    def correlation(self) -> float | None:
        """Pearson's (-1 to 1)."""
        spread = self._spread(self.xx, self.x, self.x) * self._spread(self.yy, self.y, self.y)
        if self.points < 3 or spread <= 0:
            return None
        return max(-1.0, min(1.0, self._spread(self.xy, self.x, self.y) / math.sqrt(spread)))

    def _spread(self, product: float, one: float, other: float) -> float:
        """A centred sum of products; what is left of rounding alone counts as none."""
        centred = product - one * other / self.points if self.points else 0.0
        return 0.0 if abs(centred) <= 1e-12 * abs(product) else centred


def doublings(text: str, other: str = "") -> float:
    """Length of a text in doublings: the base-2 logarithm of its characters, over those of another text."""
    return math.log2(len(text) + 1) - math.log2(len(other) + 1)


def at_length(score: float, length: float, line: Line, centre: float) -> float:
    """A score with the trend over length taken out, as if the answer were `centre` long: the residual of a linear
    regression on the logarithm of length, put back on the scale. A plain form of length-controlled AlpacaEval's idea
    (Dubois et al. 2024, arXiv 2404.04475), which predicts the verdict at equal length. A trend that chance explains is
    left in: a slope from few or like lengths would only add noise."""
    return score - line.trend * (length - centre)


@dataclass
class Longer:
    """Pairwise verdicts on answers of different length, by who was better: the longer one, the shorter one, none."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, side: Side, length: float) -> None:
        """Count one verdict; `length` is the answer's in doublings over the opponent's."""
        if length:
            longer = "answer" if length > 0 else "opponent"
            self.counts["tie" if side == "tie" else "longer" if side == longer else "shorter"] += 1

    @property
    def lean(self) -> float | None:
        """Share of verdicts for the longer answer minus that for the shorter (-1 to 1)."""
        total = self.counts.total()
        return (self.counts["longer"] - self.counts["shorter"]) / total if total else None


def length_bias(judge: float | None, people: float | None) -> float | None:
    """Share of verdicts that length alone decided (-1 to 1, negative for a judge that prefers the shorter), from the
    lean of judge and people on the same pairs. A judge that takes the longer with probability b and else decides as
    people do leans b + (1 - b) x people."""
    if judge is None or people is None:
        return None
    room = 1 - people if judge >= people else 1 + people
    return (judge - people) / room if room else 0.0
