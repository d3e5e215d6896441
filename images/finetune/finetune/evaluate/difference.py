"""How sure a difference of two losses is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from finetune.loss import Loss

SURE = 2.0
"""Standard errors that a difference must exceed to count as one: about 95 % for a normal distribution."""


@dataclass(frozen=True)
class Difference:
    """How far one model's loss is below another's (nats per token), and the standard error of that; a single row has
    none."""

    nats: float
    error: float | None

    @property
    def sure(self) -> bool:
        """Whether it is larger than chance would make it."""
        return self.error is not None and abs(self.nats) > SURE * self.error

    def __str__(self) -> str:
        return f"{self.nats:.4f}" if self.error is None else f"{self.nats:.4f} ± {self.error:.4f}"


def difference(higher: Sequence[Loss], lower: Sequence[Loss]) -> Difference:
    """The mean over tokens of `higher - lower`; both hold the losses of the same rows, in the same order.

    Tokens of one row are not independent, so the error is taken over rows (a ratio of sums: Cochran 1977, chapter 6;
    for language models: Miller 2024, "Adding Error Bars to Evals").
    """
    pairs = list(zip(higher, lower, strict=True))
    tokens = sum(before.tokens for before, _ in pairs)
    gains = [(before.nats - after.nats) * before.tokens for before, after in pairs]
    mean = math.fsum(gains) / tokens
    if len(pairs) < 2:
        return Difference(mean, None)
    spread = math.fsum((gain - mean * before.tokens) ** 2 for gain, (before, _) in zip(gains, pairs, strict=True))
    return Difference(mean, math.sqrt(spread * len(pairs) / (len(pairs) - 1)) / tokens)
