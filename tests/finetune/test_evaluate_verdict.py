"""Gate and verdict: what a difference of losses shows, and what chance alone would do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.config.evaluate import EvaluateConfig
from finetune.evaluate.difference import difference
from finetune.evaluate.verdict import gate, should_fine_tune
from finetune.loss import Loss, in_all

LOSSES = st.builds(Loss, st.floats(0.01, 12), st.integers(1, 500))


@given(st.lists(st.tuples(LOSSES, st.floats(0.01, 12)), min_size=2, max_size=20))
def test_a_difference_is_that_of_the_means_and_changes_its_sign_alone(pairs):
    before = [loss for loss, _ in pairs]
    after = [Loss(nats, loss.tokens) for loss, nats in pairs]
    there, back = difference(before, after), difference(after, before)
    assert there.nats == pytest.approx(in_all(before).nats - in_all(after).nats, abs=1e-9)
    assert (back.nats, back.error) == (pytest.approx(-there.nats), pytest.approx(there.error))


def test_a_difference_alike_in_all_rows_is_sure_and_one_row_alone_shows_nothing():
    before, after = [Loss(3, 10), Loss(2, 30)], [Loss(2, 10), Loss(1, 30)]
    assert difference(before, after).sure
    assert difference(before, after).error == pytest.approx(0)
    assert difference(before[:1], after[:1]).error is None
    assert not difference(before[:1], after[:1]).sure
    assert not difference([Loss(3, 10), Loss(1, 10)], [Loss(1, 10), Loss(2, 10)]).sure


def test_the_gate_asks_for_what_the_recipe_asks_for():
    config = EvaluateConfig(general={"uri": "x.jsonl"}, min_over_prompted=0.1, max_forgetting=0.2)
    names = [check.name for check in gate(config, 0.5, 0.2, 0.3) if not check.passed]
    assert names == ["forgetting"]
    assert [check.passed for check in gate(config, 0.0, 0.1, 0.2)] == [False, False, True]
    assert [check.name for check in gate(EvaluateConfig(), 0.5, 0.0, None)] == ["improvement"]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"few_shot": 0, "min_over_prompted": 0.1}, "few_shot is 0"),
        ({"max_forgetting": 0.1}, "no `general` text"),
    ],
)
def test_a_gate_on_what_is_not_measured_is_refused(config, says):
    with pytest.raises(ValidationError, match=says):
        EvaluateConfig(**config)


@pytest.mark.parametrize(("prompted", "answer"), [((3.0, 3.1), "yes"), ((1.0, 1.1), "no"), ((1.2, 2.8), "not shown")])
def test_the_verdict_says_which_is_better_only_where_chance_would_not_do(prompted, answer):
    before, after = [Loss(nats, 100) for nats in prompted], [Loss(2.0, 100), Loss(2.05, 100)]
    verdict = should_fine_tune(in_all(before), in_all(after), difference(before, after), 3)
    assert verdict.answer == answer
    assert f"{in_all(before).nats:.4f}" in verdict.sentence
    assert "2.0250 nats per token" in verdict.sentence
    assert should_fine_tune(None, in_all(after), None, 0).answer == "not asked"
