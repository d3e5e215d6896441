"""Curves that were made to be healthy, overfitted, underfitted or spiked are read as such."""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.train.curves import read_curves
from finetune.train.picture import draw_curves

STEPS = range(1, 101)


def history(train, test, norms=lambda step: 1.0):
    """One entry for each step, and an evaluation every tenth."""
    entries = [
        {"step": s, "train_loss": train(s), "grad_norm": norms(s), "learning_rate": 1e-3 * (1 - s / 101)} for s in STEPS
    ]
    return entries + [{"step": s, "eval_loss": test(s)} for s in STEPS if s % 10 == 0]


def falling(step):
    return 2 + 4 * exp(-step / 12)


def turning(step):
    return falling(step) if step <= 50 else falling(50) + 0.02 * (step - 50)


MADE = {
    "healthy": (history(falling, falling), None),
    "overfitting": (history(lambda s: 6 * exp(-s / 40), turning), 50),
    "underfitting": (history(lambda s: 6 - 0.02 * s, lambda s: 6 - 0.02 * s), None),
    "diverged": (history(lambda s: falling(s) if s < 70 else float("nan"), falling), 70),
    "too short": (history(falling, falling)[:110][:102], None),
}


@pytest.mark.parametrize("verdict", MADE)
def test_a_verdict_and_its_step(verdict):
    made, step = MADE[verdict]
    reading = read_curves(made)
    assert (reading.verdict, reading.step, reading.spikes) == (verdict, step, ())
    assert verdict.partition(" ")[0] in reading.sentence.lower()
    assert str(step or "") in reading.sentence


def test_a_loss_that_never_moved_is_underfitting():
    reading = read_curves(history(lambda s: 5.0, lambda s: 5.0))
    assert reading.verdict == "underfitting"
    assert "from 5.0000 to 5.0000" in reading.sentence


@given(st.sets(st.integers(min_value=20, max_value=99), min_size=1, max_size=9).map(sorted))
def test_spikes_are_found_where_they_are_and_nowhere_else(steps):
    apart = [s for place, s in enumerate(steps) if place == 0 or s - steps[place - 1] > 8]
    losses = read_curves(history(lambda s: falling(s) * (1.6 if s in apart else 1), falling))
    norms = read_curves(history(falling, falling, lambda s: 30.0 if s in apart else 1.0))
    assert list(losses.spikes) == list(norms.spikes) == apart
    assert losses.verdict == norms.verdict == "healthy"
    assert f"Spikes at step{'s' * (len(apart) > 1)} {apart[0]}" in losses.sentence


@given(st.permutations(MADE["overfitting"][0]))
def test_the_reading_does_not_depend_on_the_order_of_entries_of_different_steps(entries):
    assert read_curves(sorted(entries, key=lambda entry: entry["step"])) == read_curves(MADE["overfitting"][0])


def test_the_picture_says_what_was_read_and_is_the_same_each_time():
    made, _ = MADE["overfitting"]
    picture = draw_curves(made, read_curves(made))
    assert picture == draw_curves(made, read_curves(made))
    assert picture.startswith("<?xml")
    assert len(picture) < 200_000
    assert draw_curves([], read_curves([])), "nothing was logged: an empty picture, no failure"
