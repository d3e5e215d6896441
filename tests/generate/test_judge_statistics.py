"""Agreement and bias by hand, against scikit-learn, and on simulated judges of known bias."""

import json
import random
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from generate.judge.agreement import Agreement, Confusion, wilson
from generate.judge.biases import Line, Longer, Orders, at_length, doublings, length_bias
from generate.judge.jury import aggregate, family
from generate.judge.verdicts import agreed, side_of

COUNTS = st.lists(st.lists(st.integers(0, 30), min_size=4, max_size=4), min_size=4, max_size=4).map(np.array)


def test_kappa_by_hand():
    """The textbook table: 20 + 15 of 50 equal, 0.5 by chance, so kappa is (0.7 - 0.5) / (1 - 0.5)."""
    found = Agreement(np.array([[20, 5], [10, 15]]))
    assert (found.items, found.percent) == (50, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.weighted_kappa == pytest.approx(0.4), "with two labels every error weighs the same"


def test_weighted_kappa_by_hand():
    """One pair equal and one three steps apart: observed 9, expected (1 + 4 + 9 + 4) x ... from shares of one half."""
    found = Agreement(np.array([[1, 0, 0, 1], [0] * 4, [0] * 4, [0] * 4]))
    assert found.kappa == 0.0
    assert found.weighted_kappa == 0.0, "one rater said one thing only, which chance explains"
    opposite = Agreement(np.array([[0, 0, 0, 1], [0] * 4, [0] * 4, [1, 0, 0, 0]]))
    assert opposite.weighted_kappa == opposite.kappa == -1.0


@pytest.mark.parametrize("counts", [np.zeros((4, 4), int), np.diag([0, 7, 0, 0])])
def test_what_is_not_defined_has_no_figure(counts):
    found = Agreement(counts)
    assert (found.kappa, found.weighted_kappa) == (None, None)
    assert found.percent == (1.0 if counts.any() else None)


@given(COUNTS)
def test_agreement_is_the_same_from_either_side_and_at_most_one(counts):
    one, other = Agreement(counts), Agreement(counts.T)
    for measure in ("percent", "kappa", "weighted_kappa"):
        assert one.by(measure) == pytest.approx(other.by(measure))
        assert one.by(measure) is None or one.by(measure) <= 1 + 1e-9
    assert not counts.any() or one.interval[0] <= one.percent <= one.interval[1]


def test_kappa_is_that_of_scikit_learn():
    """Run in the curate image's environment, which has it."""
    python = ROOT / ".venv" / "curate" / "bin" / "python"
    if not python.exists():
        pytest.skip("no .venv/curate with scikit-learn")
    rng = random.Random(4)
    rounds = [
        [(rng.randint(1, 4), rng.randint(1, 4) if rng.random() < 0.5 else 2) for _ in range(80)] for _ in range(9)
    ]
    code = (
        "import json, sys; from sklearn.metrics import cohen_kappa_score as k\n"
        "print(json.dumps([[k(*zip(*r)), k(*zip(*r), weights='quadratic')] for r in json.load(sys.stdin)]))"
    )
    done = subprocess.run([python, "-c", code], input=json.dumps(rounds), capture_output=True, text=True, check=True)
    for pairs, theirs in zip(rounds, json.loads(done.stdout), strict=True):
        confusion = Confusion("1234")
        for one, other in pairs:
            confusion.add(one - 1, other - 1)
        assert [confusion.agreement.kappa, confusion.agreement.weighted_kappa] == pytest.approx(theirs, abs=1e-12)


def test_wilson_by_hand():
    low, high = wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == 1.0


def simulated(rng, order: float, length: float, pairs: int, people_lean: float = 0.0):
    """Verdicts of a judge that takes the first answer with probability `order`, else the longer with probability
    `length`, else decides as people do, who lean to the longer."""
    orders, judge, people = Orders(), Longer(), Longer()
    for _ in range(pairs):
        long = rng.choice([-1.0, 1.0])
        longer, shorter = ("answer", "opponent") if long > 0 else ("opponent", "answer")
        truth = longer if rng.random() < (1 + people_lean) / 2 else shorter
        sides = []
        for swapped in (False, True):
            draw = rng.random()
            if draw < order:
                sides.append(side_of("A", swapped))
            else:
                sides.append(longer if rng.random() < length else truth)
        orders.add(tuple(sides))
        for side in sides:
            judge.add(side, long)
        people.add(truth, long)
    return orders, judge, people


@pytest.mark.parametrize("planted", [0.0, 0.15, 0.4])
def test_order_bias_is_recovered(planted):
    orders, _, _ = simulated(random.Random(7), planted, 0.2, 20_000)
    assert orders.bias == pytest.approx(planted, abs=0.02)


@pytest.mark.parametrize("lean", [-0.3, 0.0, 0.4])
@pytest.mark.parametrize("planted", [0.0, 0.25, 0.6])
def test_length_bias_is_recovered_whatever_people_prefer(planted, lean):
    _, judge, people = simulated(random.Random(8), 0.0, planted, 20_000, lean)
    assert length_bias(judge.lean, people.lean) == pytest.approx(planted, abs=0.02)


def test_a_preference_for_short_answers_is_negative():
    assert length_bias(-0.2, 0.0) == pytest.approx(-0.2)
    assert length_bias(None, 0.1) is None


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(1, 4)), min_size=3, max_size=60))
def test_the_line_is_that_of_least_squares(points):
    line = Line()
    for x, y in points:
        line.add(x, y)
    xs, ys = np.array(points).T
    if np.ptp(xs) < 0.01:
        return
    slope, _ = np.polyfit(xs, ys, 1)
    assert line.slope == pytest.approx(slope, abs=1e-6)
    if not line.trend:
        assert abs(slope) <= 2 * line.slope_error + 1e-9
        return
    rest = [at_length(y, x, line, line.mean_x) for x, y in points]
    assert np.mean(rest) == pytest.approx(np.mean(ys), abs=1e-6), "the mean stays"
    assert np.dot(xs - xs.mean(), rest) == pytest.approx(0, abs=1e-4), "no trend is left"


def test_a_trend_that_chance_explains_is_left_in():
    rng, line = random.Random(2), Line()
    for _ in range(200):
        line.add(rng.random() / 1_000, rng.choice([1.0, 2.0, 3.0, 4.0]))
    assert abs(line.slope) > 10, "like lengths give a wild slope"
    assert (line.trend, at_length(2.0, 5.0, line, 0.0)) == (0.0, 2.0)


def test_the_error_of_a_slope_by_hand():
    """Points (0, 0), (1, 1), (2, 0): slope 0, residuals -1/3, 2/3, -1/3, so the error is sqrt(2/3 / 1 / 2)."""
    line = Line()
    for x, y in ((0, 0), (1, 1), (2, 0)):
        line.add(x, y)
    assert (line.slope, line.slope_error) == (0.0, pytest.approx((1 / 3) ** 0.5))


def test_too_few_points_or_one_length_have_no_trend():
    line = Line()
    for _ in range(5):
        line.add(3.3, 2.0)
    assert (line.slope, line.correlation, at_length(2.0, 3.3, line, 3.3)) == (None, None, 2.0)
    assert Line().mean_y is None


def test_lengths_are_in_doublings():
    assert doublings("x" * 127) == 7
    assert doublings("x" * 127, "y" * 31) == 2
    assert doublings("") == 0


@pytest.mark.parametrize(
    ("values", "how", "joint"),
    [
        ([1.0, 2.0, 4.0], "mean", 7 / 3),
        ([1.0, 2.0, 4.0], "median", 2.0),
        ([1.0, 2.0, 2.0], "vote", 2.0),
        ([1.0, 2.0, 4.0, 4.0, 1.0], "vote", 2.5),
        ([1.0, 0.0], "vote", 0.5),
        ([1.0, None, 4.0], "mean", 2.5),
        ([1.0, None], "mean", None),
        ([None, None, 4.0], "vote", None),
        ([None], "median", None),
    ],
)
def test_a_jury_needs_more_than_half(values, how, joint):
    assert aggregate(values, how) == joint


@pytest.mark.parametrize(
    ("model", "house"),
    [
        ("gpt-4o-mini-2024-07-18", "OpenAI"),
        ("openai/o3-mini", "OpenAI"),
        ("meta-llama/Llama-3.1-8B-Instruct", "Meta"),
        ("Qwen/Qwen2.5-7B", "Alibaba"),
        ("nvidia/Llama-3.1-Nemotron-70B", "NVIDIA"),
        ("models/home-made", "home-made"),
    ],
)
def test_a_models_family_follows_from_its_name(model, house):
    assert family(model) == house


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [("answer", "answer", 1.0), ("opponent", "opponent", 0.0), ("tie", "tie", 0.5), ("answer", "opponent", 0.5)],
)
def test_both_orders_must_agree(one, other, value):
    assert agreed(one, other) == agreed(other, one) == value
    assert agreed("answer", "tie") == 0.5
