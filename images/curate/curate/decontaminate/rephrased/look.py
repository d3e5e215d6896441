"""The second look: how far a row and an item agree in each trait, and what these agreements are worth together."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from curate.decontaminate.rephrased.traits import TRAITS, Bag, bags

Floats: TypeAlias = npt.NDArray[np.float64]

MEASURES = ("of_item", "of_row", "cosine")
WEIGHTS = Path(__file__).parent / "weights.json"


class Weights(NamedTuple):
    """A logistic model over `TRAITS` x `MEASURES`: each measure less its mean, over its scale, times its weight."""

    mean: Floats
    scale: Floats
    weight: Floats
    bias: float


@cache
def learned() -> Weights:
    """The published weights; `tests/bench/measure_rephrased.py --learn` says what on, and makes them again."""
    read = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    mean, scale, weight = (
        np.array([read["measures"][f"{trait}.{measure}"][part] for trait in TRAITS for measure in MEASURES])
        for part in ("mean", "scale", "weight")
    )
    return Weights(mean, scale, weight, read["bias"])


@dataclass(frozen=True)
class Weighed:
    """The features of one trait of one text, each with its weight; their sum and length."""

    features: dict[str, float]
    sum: float
    length: float


class Rarity:
    """Weights of one trait's features: the fewer items hold one, the more it weighs. Rows have no say in it, so that no
    verdict depends on other rows."""

    def __init__(self, items: Sequence[Bag]) -> None:
        holders = Counter(feature for bag in items for feature in bag)
        self._all = len(items) + 1
        self._of = {feature: math.log(self._all / (count + 0.5)) for feature, count in holders.items()}
        self._unknown = math.log(self._all / 0.5)

    def weighed(self, bag: Bag) -> Weighed:
        """A bag's features weighed; one that occurs often in it weighs a little more."""
        features = {
            feature: (1 + math.log(count)) * self._of.get(feature, self._unknown) for feature, count in bag.items()
        }
        length = math.sqrt(sum(weight * weight for weight in features.values()))
        return Weighed(features, sum(features.values()), length)


class SecondLook:
    """Compares rows with items by all traits."""

    def __init__(self, items: Sequence[str]) -> None:
        by_item = [bags(item) for item in items]
        self._rarity = [Rarity([one[trait] for one in by_item]) for trait in range(len(TRAITS))]
        self._items = [self._weighed(one) for one in by_item]

    def measures(self, row: str, items: Sequence[int]) -> Floats:
        """Agreement of a row with each of some items, of shape `(items, traits x measures)`, each from 0 to 1."""
        weighed = self._weighed(bags(row))
        rows = [
            [value for a, b in zip(weighed, self._items[item], strict=True) for value in _agreement(a, b)]
            for item in items
        ]
        return np.array(rows).reshape(len(items), len(TRAITS) * len(MEASURES))

    def scores(self, row: str, items: Sequence[int]) -> Floats:
        """How sure it is that a row rephrases each of some items (0 to 1)."""
        return probability(learned(), self.measures(row, items))

    def _weighed(self, one: Sequence[Bag]) -> list[Weighed]:
        return [rarity.weighed(bag) for rarity, bag in zip(self._rarity, one, strict=True)]


def probability(model: Weights, measures: Floats) -> Floats:
    """The model's verdict on each row of measures."""
    logit = ((measures - model.mean) / model.scale) @ model.weight + model.bias
    result: Floats = 1 / (1 + np.exp(-logit))
    return result


def _agreement(row: Weighed, item: Weighed) -> tuple[float, float, float]:
    """Share of the item's weight that the row holds, share of the row's, and cosine."""
    few, many = sorted((row.features, item.features), key=len)
    common = [feature for feature in few if feature in many]
    if not common:
        return 0.0, 0.0, 0.0
    of_item = sum(item.features[feature] for feature in common) / item.sum
    of_row = sum(row.features[feature] for feature in common) / row.sum
    product = sum(row.features[feature] * item.features[feature] for feature in common)
    return of_item, of_row, product / (row.length * item.length)
