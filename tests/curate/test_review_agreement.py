"""How far reviewers agree: the published measures, and the report that says so."""

import random

import pytest

from contract.agreement import cohen, fleiss, observed, report
from curate_texts import decision, sample


def test_kappa_of_two_as_scikit_learn_has_it():
    from sklearn.metrics import cohen_kappa_score

    rng = random.Random(3)
    pairs = [(one, one if rng.random() < 0.7 else rng.choice(["accept", "edit"])) for one in ["accept", "reject"] * 40]
    assert cohen(pairs) == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))


def test_fleiss_on_the_published_example():
    """Fleiss 1971 in the form that Wikipedia works through: 10 subjects, 14 raters, 5 categories, kappa 0.21."""
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    ratings = [[str(c) for c, n in enumerate(row) for _ in range(n)] for row in table]
    assert observed(ratings) == pytest.approx(0.378, abs=1e-3)
    assert fleiss(ratings) == pytest.approx(0.210, abs=1e-3)


def test_where_nothing_can_be_said_of_agreement():
    assert fleiss([["accept", "accept"]]) is None
    assert observed([["accept"], []]) is None
    assert cohen([]) is None


def test_the_report_names_reviewers_and_statements():
    one, two = (sample(n, f"Question {n}", f"Answer {n}") for n in range(2))
    ann = decision(one, seconds=10, checklist={"It is right": True})
    bob = decision(one, "reject", "bob", checklist={"It is right": False})
    found = report([(ann, bob), (decision(two, seconds=20),)])
    assert (found["samples"], found["samples_with_several_reviewers"], found["agreement"]) == (2, 1, 0)
    assert found["pairs"] == [{"reviewers": ["ann", "bob"], "samples": 1, "agreement": 0, "kappa": 0}]
    assert found["reviewers"]["ann"] == {"decisions": 2, "accept": 2, "reject": 0, "edit": 0, "mean_seconds": 15}
    assert found["checklist"] == {"It is right": {"holds": 1, "fails": 1}}
