"""A server that answers in the wrong shape for a while: the run stops paying, and a later one gets everything."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.instruct.pairs import SCHEMA
from generate.llm import streak
from generate.llm.answer import Answer
from generate.llm.question import OPENAI, Question
from generate.llm.streak import Streak, fits
from llm_batches import BatchLlmServer
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import PRICE, Instruct, check_books
from llm_server import Behaviour, LlmServer

GOOD = json.dumps({"pairs": [{"instruction": "a", "answer": "b"}]})
QUESTION = Question(OPENAI, "m", (), temperature=0, max_tokens=9, seed=0, schema=SCHEMA)


@pytest.fixture
def forty(instruct, tmp_path, monkeypatch) -> Instruct:
    """The stage on forty chunks, with little patience."""
    monkeypatch.setattr(streak, "WRONG_IN_A_ROW", 20)
    return instruct.on(write_chunks(tmp_path, synthetic_chunks(10, 4), "forty"))


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        (GOOD, True),
        (f"Sure:\n```json\n{GOOD}\n```", True),
        (f"{GOOD[:-2]}, {{'instr", True),
        (json.dumps([{"instruction": "a", "answer": "b"}]), True),
        (json.dumps({"pairs": "none"}), True),
        (json.dumps({"items": [{"question": "a", "answer": "b"}]}), False),
        ("Of course! Here is what I think.", False),
        ("<html>Service temporarily unavailable</html>", False),
        ("[]", False),
        ("", False),
    ],
)
def test_the_shape_of_an_answer_is_told_by_its_keys(text, fit):
    assert fits(SCHEMA, text) is fit
    assert fits({}, json.dumps({"anything": 1}))


@given(st.lists(st.sampled_from(["good", "wrong", "refusal"]), max_size=700))
def test_only_that_many_wrong_ones_with_no_good_one_between_end_it(said):
    answers = {"good": GOOD, "wrong": "prose", "refusal": "I'm sorry, but I can't help with that."}
    found, row, broken = Streak(), 0, False
    for kind in said:
        forgotten = found.add(QUESTION, Answer(text=answers[kind]))
        row = 0 if kind == "good" else row + (kind == "wrong")
        expected = 0
        if kind == "wrong" and (broken or row == streak.WRONG_IN_A_ROW):
            expected, row, broken = (row, 0, True)
        assert len(forgotten) == expected


def test_a_run_stops_paying_and_a_later_one_pays_only_for_the_rest(forty, llm):
    llm.behave(wrong_from=15)
    first = forty(concurrency=4).ended
    assert first.exit_code == 13
    assert "answered 20 requests in a row with something else than was asked for" in first.stderr
    assert "'Of course! Here is what I think" in first.stderr
    assert len(llm.seen) <= 15 + 20 + 4
    right = {request.question for request in llm.answered() if request.outcome == "good"}
    assert 10 <= len(right) <= 14
    llm.behave(wrong_from=0)
    llm.forget()
    made = forty(concurrency=4)
    check_books(made, 40)
    assert made.manifest.accounts["chunks"].kept == 40
    assert made.manifest.accounts["requests"].dropped == {}
    assert not right & {request.question for request in llm.seen}
    assert len(llm.seen) == 40 - len(right)


def test_answers_cut_off_at_the_limit_are_named(forty, llm):
    llm.behave(prose=True, length=1.0)
    ended = forty(concurrency=4).ended
    assert "were cut off at `max_tokens`" in ended.stderr


def test_a_fallback_answers_instead(forty, llm):
    llm.behave(prose=True)
    with LlmServer(Behaviour()) as other:
        made = forty(fallbacks=[{"model": "stand-in", "base_url": other.url, "price": PRICE}], concurrency=4)
    check_books(made, 40)
    assert len(llm.seen) <= 20 + 4
    models = Counter(sample.model for sample in made.samples)
    assert models.keys() == {"stand-in"}
    assert "gave up a server" in made.ended.stderr


def test_a_batch_of_wrong_answers_is_not_looked_at_again(forty, monkeypatch):
    monkeypatch.setattr("generate.llm.batchserver.GATHER_SECONDS", 0.2)
    with BatchLlmServer(Behaviour(prose=True)) as server:
        batched = Instruct(forty.runner, forty.chunks, server)
        assert batched(transport="batch", batch_poll=0.01).ended.exit_code == 13
        server.behave(prose=False)
        made = batched(transport="batch", batch_poll=0.01)
    check_books(made, 40)
    assert made.manifest.accounts["chunks"].kept == 40
    asked = Counter(request.question for request in server.answered() if request.outcome == "good")
    assert set(asked.values()) == {1}
