"""The Batch API against a server with files and batches: the same books, cache and budget as live, across restarts."""

import json
import time

import pytest

from llm_batches import BatchLlmServer
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import InProcess, Instruct, check_books

BATCH = {"transport": "batch", "batch_poll": 0.02}


@pytest.fixture
def llm():
    with BatchLlmServer(seed=1) as server:
        yield server


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("generate.llm.batchserver.GATHER_SECONDS", 0.3)


@pytest.fixture
def forty(tmp_path, llm) -> Instruct:
    return Instruct(InProcess(tmp_path), write_chunks(tmp_path, synthetic_chunks(10, 4), "forty"), llm)


def records(instruct) -> list:
    return list((instruct.runner.folder / "cache/batches").glob("*.json"))


def check_spending(made, llm) -> None:
    """The ledger of spending is what the server counted, to the last token."""
    cost = made.manifest.cost
    assert (cost.prompt_tokens, cost.completion_tokens) == llm.tokens()
    assert cost.requests == len(llm.seen)
    asked = [request.question for request in llm.answered()]
    assert len(asked) == len(set(asked)), "nothing is paid twice"


def test_a_batch_makes_the_same_dataset_as_live_requests(forty, llm):
    made = forty(**BATCH)
    check_books(made, 40)
    check_spending(made, llm)
    assert len(llm.batches) == 1
    assert records(forty) == []
    llm.forget()
    live = forty("live", transport="live", concurrency=4)
    assert (live.hash, llm.seen) == (made.hash, [])


def test_expiry_and_faults_of_lines_are_asked_again_in_later_batches(forty, llm):
    llm.api.expire = 0.3
    llm.behave(malformed=0.1, refusal=0.05, server_error=0.1, rate_limited=0.1, short=0.1)
    made = forty(**BATCH, attempts=20)
    check_books(made, 40)
    check_spending(made, llm)
    outcomes = {request.outcome for request in llm.seen}
    assert {"expired", "malformed", "refusal", "server_error", "rate_limited"} <= outcomes
    assert len(llm.batches) >= 3
    assert made.manifest.metrics["tries_expired"] == sum(request.outcome == "expired" for request in llm.seen)
    assert records(forty) == []


def test_lines_that_always_expire_fail_alone(forty, llm):
    llm.api.expire = 1.0
    made = forty(**BATCH, attempts=2, max_failed=1.0)
    assert made.ended.exit_code in (12, 13)
    assert "expired" in made.ended.stderr


def test_batches_are_no_larger_than_asked(forty, llm):
    made = forty(**BATCH, batch_lines=16)
    assert len(llm.batches) >= 3
    assert max(len(llm.files[batch["input_file_id"]].splitlines()) for batch in llm.batches.values()) <= 16
    check_books(made, 40)


def test_a_format_that_the_server_does_not_take_costs_one_refused_batch(forty, llm):
    llm.behave(formats=())
    made = forty(**BATCH)
    assert made.manifest.metrics["answer_format"] == "text"
    assert made.manifest.accounts["chunks"].kept == 40
    check_books(made, 40)


def test_the_budget_is_reserved_before_a_batch_is_sent(forty, llm):
    made = forty(**BATCH, budget={"tokens": 30_000})
    check_books(made, 40)
    cost = made.manifest.cost
    assert cost.prompt_tokens + cost.completion_tokens <= 30_000
    assert made.manifest.accounts["chunks"].skipped["budget"] > 0
    for batch in llm.batches.values():
        lines = [json.loads(line)["body"] for line in llm.files[batch["input_file_id"]].splitlines()]
        assert sum(line["max_tokens"] for line in lines) <= 30_000, "no batch may cost more than there is"


@pytest.mark.parametrize("trouble", [{"breaks": 1}, {"down": 3}, {"breaks": 2, "down": 1}])
def test_a_broken_connection_makes_no_second_batch(forty, llm, trouble):
    for name, value in trouble.items():
        setattr(llm.api, name, value)
    made = forty(**BATCH)
    check_books(made, 40)
    check_spending(made, llm)
    assert len(llm.batches) == 1


def test_a_batch_that_is_refused_for_want_of_room_is_sent_again(forty, llm):
    llm.api.refused = ["token_limit_exceeded"]
    made = forty(**BATCH)
    assert made.manifest.accounts["chunks"].kept == 40
    assert len(llm.batches) == 2
    check_books(made, 40)


def test_a_batch_that_is_refused_for_good_is_a_mistake_in_the_config(forty, llm):
    llm.api.refused = ["invalid_json_line"] * 9
    ended = forty(**BATCH).ended
    assert ended.exit_code == 10
    assert "no: invalid_json_line" in ended.stderr
    assert records(forty) == []


def test_a_server_without_batches_is_told_of(forty, llm):
    llm.behave(key="another")
    ended = forty(**BATCH).ended
    assert ended.exit_code == 10
    assert "refused a batch (HTTP 401" in ended.stderr
    assert "sk-a-secret" not in ended.stderr


@pytest.mark.parametrize("moment", ["before the server answered", "while waiting"])
def test_killed_it_finds_its_batch_again_and_pays_nothing_twice(run_stage, tmp_path, llm, moment):
    chunks = write_chunks(tmp_path, synthetic_chunks(10, 4), "forty")
    instruct = Instruct(run_stage, chunks, llm)
    llm.api.seconds = 1.5
    llm.api.breaks = 10**9 if moment == "before the server answered" else 0
    process = instruct.start(**BATCH)
    while not llm.batches:
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.5 if moment == "while waiting" else 0)
    process.kill()
    process.communicate()
    llm.api.breaks, llm.api.seconds = 0, 0.05
    made = instruct(**BATCH)
    check_books(made, 40)
    check_spending(made, llm)
    assert len(llm.batches) == 1, "the batch of the killed process is the only one"
    assert "waiting for a batch sent earlier" in made.ended.stderr
    assert list((tmp_path / "cache/batches").glob("*.json")) == []


def test_what_was_written_down_but_never_sent_is_sent(forty, llm, tmp_path):
    """A process that died between writing a batch down and sending it."""
    from contract.uris import parse_uri
    from generate.llm.batchrecords import Records, Sent
    from generate.llm.ways import Way
    from stagekit.store import open_store

    forty("first", **BATCH)
    keys = [path.stem for path in (tmp_path / "cache/llm").rglob("*.json")]
    for path in (tmp_path / "cache/llm").rglob("*.json"):
        path.unlink()
    Records(llm.url, open_store(parse_uri(str(tmp_path / "cache/batches")))).save(
        Sent(llm.url, dict.fromkeys(keys, Way()))
    )
    again = forty("again", **BATCH)
    check_books(again, 40)
    assert len(llm.batches) == 2
    assert records(forty) == []
