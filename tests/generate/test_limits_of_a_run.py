"""The limits of a recipe hold for all stages and tries of one run together; and what a run will take is told before."""

import re
import shutil

import pytest

from contract.config.llm import Endpoint
from contract.records import Message
from contract.uris import parse_uri
from generate.llm.answer import Answer
from generate.llm.experience import Experience, Experiences
from generate.llm.purse import Purse, Purses
from generate.llm.question import Question
from generate.llm.spending import Outlay, Spent
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import PRICE, check_books
from stagekit.store import open_store


def in_run(name: str) -> dict[str, str]:
    return {"NOCTURNE_RUN": name}


def test_stages_of_one_run_share_its_limits_and_the_next_run_has_its_own(instruct, llm):
    first = instruct("first", env=in_run("tonight"), limits={"requests": 8})
    assert (first.manifest.cost.requests, first.manifest.metrics["budget_reached"]) == (6, None)
    second = instruct("second", env=in_run("tonight"), limits={"requests": 8}, seed=1)
    check_books(second, 6)
    assert second.manifest.cost.requests == 2, "what this stage spent is its own; what it may spend is not"
    assert second.manifest.metrics["budget_reached"] == "requests of the whole run"
    third = instruct("third", env=in_run("tomorrow"), limits={"requests": 8}, seed=2)
    assert third.manifest.metrics["budget_reached"] is None
    assert len(llm.seen) == 14


def test_a_stage_may_have_a_tighter_budget_of_its_own(instruct, llm):
    made = instruct(env=in_run("tonight"), limits={"requests": 5}, budget={"requests": 3})
    assert (len(llm.seen), made.manifest.metrics["budget_reached"]) == (3, "requests")


def test_a_cleared_task_counts_with_its_run_and_nothing_is_counted_twice(instruct, llm):
    limits = {"limits": {"requests": 4}, "on_budget": "fail", "concurrency": 1}
    for _ in range(3):
        ended = instruct(env=in_run("tonight"), **limits).ended
        assert ended.exit_code == 14
        assert "limit on requests of the whole run is reached" in ended.stderr
        assert len(llm.seen) == 4, "a retry of the same run has no new limit"
    raised = instruct(env=in_run("tonight"), **limits | {"limits": {"requests": 6}})
    assert (raised.manifest.rows_out, len(llm.seen)) == (30, 6), "what was paid is not counted again"


def test_without_a_run_the_limits_hold_for_the_dataset(instruct, llm):
    for _ in range(2):
        assert instruct(limits={"requests": 2}, on_budget="fail", concurrency=1).ended.exit_code == 14
    assert len(llm.seen) == 2


def test_requests_that_brought_nothing_count_too(instruct, llm):
    llm.behave(server_error=0.5)
    made = instruct("one", env=in_run("tonight"), limits={"requests": 100}, attempts=50)
    assert made.manifest.cost.requests == len(llm.seen) > 6
    spent = Purse(open_store(parse_uri(f"{instruct.runner.folder}/cache/spent")), "tonight").before().spent
    assert spent.requests == len(llm.seen)
    assert (spent.prompt_tokens, spent.completion_tokens) == llm.tokens()


def test_several_purses_are_filled_at_once(tmp_path):
    store = open_store(parse_uri(str(tmp_path)))
    purses = [Purse(store, "a"), Purse(store, "b")]
    outlay = Outlay(Spent(1, 2, 3, 4), Spent(5, 6, 7, 8))
    Purses(purses).record([outlay])
    assert [Purse(store, name).before() for name in ("a", "b", "c")] == [outlay] * 2 + [Outlay()]


def test_money_is_estimated_within_a_tenth_from_what_the_prompt_took_before(instruct, llm, tmp_path):
    """Forty chunks teach; two hundred others, of which the forty are some, are estimated."""
    llm.behave(malformed=0.1, short=0.1, refusal=0.05, server_error=0.05, rate_limited=0.05, retry_after=("",))
    every = synthetic_chunks(20, 10)
    few, all_of_them = (write_chunks(tmp_path, some, f"n{len(some)}") for some in (every[::5], every))
    taught = instruct.on(few)("few")
    assert "completion_tokens_at_most" in taught.ended.stderr
    assert "estimated_money" not in taught.manifest.metrics, "nothing was known"
    made = instruct.on(all_of_them)("all")
    estimated, actual = made.manifest.metrics["estimated_money"], made.manifest.cost.money
    assert actual > 3 * taught.manifest.cost.money
    assert estimated == pytest.approx(actual, rel=0.1)
    assert re.search(r"estimate .*answered_already=20% .*money_about=", made.ended.stderr)
    shutil.rmtree(instruct.runner.folder / "cache/llm")
    again = instruct.on(all_of_them)("again")
    assert again.manifest.metrics["estimated_money"] == pytest.approx(again.manifest.cost.money, rel=0.1)


def test_progress_lines_tell_rate_spending_and_time_left(instruct, llm, monkeypatch):
    monkeypatch.setattr("stagekit.job.PROGRESS_SECONDS", 0.0)
    line = [line for line in instruct(price=PRICE).ended.stderr.splitlines() if " progress " in line][-1]
    for part in ("chunks=6/6", "per_second=", "seconds_left=0", "sent=6", "tokens=", "money=0.0"):
        assert part in line
    unknown = instruct("unknown", price=None, seed=3).ended.stderr
    assert "money=unknown" in unknown


def test_old_experience_fades_and_damage_counts_as_none(tmp_path):
    store = open_store(parse_uri(str(tmp_path)))
    old = Experience(12_000, 12_000, 12_000, 12_000, 12_000)
    assert (old + Experience(1, 1, 1, 1, 1)).requests == 6_001
    asked = Question("http://a/v1", "m", (Message(role="user", content="four"),), 0, 1, 0, {})
    learning = Experiences(store, "p")
    learning.add(asked, Answer(text="x"))
    learning.save()
    endpoint = Endpoint(model="m", base_url="http://a/v1")
    assert learning.of(endpoint, "") == Experience(), "what was not metered teaches nothing"
    learning.add(asked, Answer(text="x", prompt_tokens=5, completion_tokens=2))
    learning.save()
    assert learning.of(endpoint, "") == Experience(1, 4, 1, 5, 2)
    (name,) = [entry.name for entry in store.list()]
    store.write(name, b"[]")
    assert learning.of(endpoint, "") == Experience()
