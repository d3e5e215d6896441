"""What a training's curves say: healthy, overfitting from a step on, underfitting, or spikes; pure functions.

The thresholds are rules of thumb of the field, stated here so that a person can disagree with a number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from statistics import fmean, median
from typing import Literal

Entry = Mapping[str, float]
Curve = Sequence[tuple[int, float]]
"""(step, value), by step."""

RISE = 0.02
"""Overfitting: the test loss ends this share above its lowest value, while the training loss fell on."""
FALLING = 0.05
"""Underfitting: this share of the test loss's whole fall came in the last quarter of the steps."""
LEARNED = 0.02
"""Underfitting too: the test loss fell by less than this share in all."""
SPIKE = 1.25
"""A spike: a step's training loss is this many times the median of the steps before it."""
NORM_SPIKE = 10.0
"""A spike too: a step's gradient norm is this many times the median of the steps before it."""
BEFORE = 8
"""Steps that a spike is measured against; fewer than half of them are too few to judge by."""
SHOWN = 5

Verdict = Literal["healthy", "overfitting", "underfitting", "diverged", "too short"]


@dataclass(frozen=True)
class Reading:
    """A verdict, the step it holds from (overfitting, diverged), steps with spikes, and a sentence for people."""

    verdict: Verdict
    step: int | None
    spikes: tuple[int, ...]
    sentence: str


def curve(history: Sequence[Entry], name: str) -> list[tuple[int, float]]:
    """One figure's values by step, from a trainer's history."""
    return [(int(entry["step"]), float(entry[name])) for entry in history if name in entry]


def read_curves(history: Sequence[Entry]) -> Reading:
    """The reading of a history whose entries hold `step` and `train_loss`, `eval_loss` or `grad_norm`."""
    train, test = curve(history, "train_loss"), curve(history, "eval_loss")
    broken = next((step for step, value in sorted([*train, *test]) if not isfinite(value)), None)
    if broken is not None:
        return Reading("diverged", broken, (), f"Diverged: the loss is no number from step {broken} on.")
    spikes = tuple(sorted({*_spikes(train, SPIKE), *_spikes(curve(history, "grad_norm"), NORM_SPIKE)}))
    verdict, step, sentence = _shape(train, test)
    return Reading(verdict, step, spikes, f"{sentence}{_spike_words(spikes)}")


def _shape(train: Curve, test: Curve) -> tuple[Verdict, int | None, str]:
    if len(test) < 3:
        return "too short", None, f"Too short to judge: {len(test)} evaluations, and three are needed."
    best_step, best = min(test, key=lambda point: point[1])
    first, last = test[0][1], test[-1][1]
    if last > best * (1 + RISE) and _mean_after(train, best_step) < _mean_until(train, best_step):
        return (
            "overfitting",
            best_step,
            f"Overfitting from step {best_step} on: the test loss rose from {best:.4f} to {last:.4f} "
            "while the training loss fell.",
        )
    fall = first - last
    if fall < LEARNED * first:
        return "underfitting", None, f"Underfitting: the test loss went from {first:.4f} to {last:.4f}, hardly lower."
    late = _value_at(test, test[-1][0] - (test[-1][0] - test[0][0]) / 4) - last
    if late > FALLING * fall:
        return (
            "underfitting",
            None,
            f"Underfitting: the test loss was still falling at the end ({first:.4f} to {last:.4f}, "
            f"{late / fall:.0%} of it in the last quarter); more steps or a higher learning rate may help.",
        )
    return "healthy", None, f"Healthy: the test loss fell from {first:.4f} to {last:.4f} and levelled off."


def _spikes(points: Curve, times: float) -> list[int]:
    found = []
    for place, (step, value) in enumerate(points):
        before = [past for _, past in points[max(0, place - BEFORE) : place]]
        if len(before) >= BEFORE // 2 and value > times * median(before) > 0:
            found.append(step)
    return found


def _spike_words(spikes: Sequence[int]) -> str:
    if not spikes:
        return ""
    shown = ", ".join(str(step) for step in spikes[:SHOWN])
    more = f" and {len(spikes) - SHOWN} more" if len(spikes) > SHOWN else ""
    return f" Spikes at step{'s' * (len(spikes) > 1)} {shown}{more}."


def _value_at(points: Curve, step: float) -> float:
    """The value between the two points around a step."""
    (low, left), (high, right) = next(pair for pair in pairwise(points) if pair[1][0] >= step)
    return left + (right - left) * (step - low) / (high - low)


def _mean_until(points: Curve, step: int) -> float:
    """Mean of the last values up to a step: single steps are noisy."""
    return fmean([value for at, value in points if at <= step][-BEFORE:] or [float("inf")])


def _mean_after(points: Curve, step: int) -> float:
    return fmean([value for at, value in points if at > step][-BEFORE:] or [float("inf")])
