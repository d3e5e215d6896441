"""The `openai` provider, end to end: the real client, a real server that misbehaves, and what ends up in the books."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import Instruct, check_books


def test_a_sample_says_where_it_came_from(instruct, llm):
    made = instruct()
    check_books(made, 6)
    sample, chunk = made.samples[0], synthetic_chunks(2, 3)[0]
    assert (sample.document_id, sample.chunk_id, sample.start, sample.end) == (
        *(chunk.document_id, chunk.id, chunk.start, chunk.end),
    )
    assert (sample.author, sample.license, sample.model, sample.kind) == ("A. Writer", "MIT", "gpt-4o-mini", "instruct")
    kept = [json.loads(path.read_bytes()) for path in (instruct.runner.folder / "cache/llm").rglob("*.json")]
    assert None not in (sample.response_hash, sample.prompt_hash)
    assert any(sample.instruction in item["answer"]["text"] for item in kept)
    assert made.manifest.metrics["prompt"] == "backtranslate-2"
    assert [s.chunk_id for s in made.samples] == [c.id for c in synthetic_chunks(2, 3) for _ in range(5)]


@pytest.mark.parametrize(
    ("formats", "way"),
    [(("json_schema", "json_object"), "json_schema"), (("json_object",), "json_object"), ((), "text")],
)
def test_the_best_way_that_the_server_can_is_found_once(instruct, llm, formats, way):
    llm.behave(formats=formats)
    made = instruct(concurrency=1)
    assert made.manifest.metrics["answer_format"] == way
    refused = sum(request.outcome == "format" for request in llm.seen)
    assert refused <= 2 * {"json_schema": 0, "json_object": 1, "text": 2}[way], "learnt once, not for each chunk"
    assert made.manifest.rows_out == 30
    assert made.manifest.cost.requests == len(llm.seen)


def test_a_server_that_wants_max_completion_tokens_gets_it(instruct, llm):
    llm.behave(max_completion_tokens=True)
    made = instruct(concurrency=1)
    assert made.manifest.rows_out == 30
    assert [request.outcome for request in llm.seen].count("limit") == 1


def test_good_pairs_of_half_good_answers_are_kept_and_the_rest_asked_again(instruct, llm):
    llm.behave(short=0.25, length=0.35, malformed=0.1)
    made = instruct(pairs=4, reasks=3)
    check_books(made, 6)
    kinds = {request.outcome for request in llm.seen}
    assert {"short", "length"} <= kinds
    again = [request.body["messages"] for request in llm.seen if len(request.body["messages"]) > 2]
    assert all("That was not what was asked for" in messages[-1]["content"] for messages in again)
    assert any("that were good" in messages[-1]["content"] for messages in again)
    assert len(made.samples) > 12
    assert len({(s.chunk_id, s.response_hash) for s in made.samples}) > 6  # several answers of one chunk were used


def test_refusals_end_in_the_ledger_with_what_was_said(instruct, llm):
    llm.behave(refusal=0.5)
    made = instruct()
    check_books(made, 6)
    dropped = made.manifest.accounts["chunks"].dropped["refusal"]
    assert 0 < dropped < 6
    entry = next(e for e in made.ledger if e.account == "requests")
    assert (entry.rule, entry.row) == ("refusal", "I'm sorry, but I can't help with that.")
    assert len(llm.seen) == 6, "a refusal is not asked again"


def test_answers_without_usage_leave_the_money_unknown(instruct, llm):
    llm.behave(usage=False)
    cost = instruct().manifest.cost
    assert (cost.requests, cost.money) == (6, None)


def test_an_unknown_price_leaves_the_money_unknown_and_tokens_are_still_capped(instruct, llm):
    made = instruct(price=None, budget={"tokens": 3_000}, concurrency=1)
    cost = made.manifest.cost
    assert cost.money is None
    assert cost.prompt_tokens + cost.completion_tokens <= 3_000
    assert made.manifest.accounts["chunks"].skipped["budget"] > 0
    assert made.manifest.metrics["budget_reached"] == "tokens"


def test_a_limit_on_requests_counts_retries_too(instruct, llm):
    llm.behave(server_error=0.5)
    made = instruct(budget={"requests": 5}, attempts=50)
    assert len(llm.seen) == made.manifest.cost.requests == 5
    check_books(made, 6)


def test_a_spent_budget_can_fail_the_run_and_keeps_the_answers(instruct, llm):
    ended = instruct(budget={"requests": 3}, on_budget="fail", concurrency=1).ended
    assert ended.exit_code == 14
    assert "limit on requests is reached" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(instruct.cached()) == 3
    again = instruct(budget={"requests": 3}, on_budget="fail", concurrency=1).ended
    assert again.exit_code == 14
    assert len(llm.seen) == 3, "a retry of the same run has no new budget"
    assert instruct(budget={"requests": 6}, on_budget="fail").manifest.rows_out == 30
    assert len(llm.seen) == 6


def test_equal_texts_are_paid_once(instruct, llm, tmp_path):
    chunk = synthetic_chunks(1, 1)[0]
    twins = [chunk.model_copy(update={"id": f"c{n}", "document_id": f"d{n}"}) for n in range(8)]
    made = instruct.on(write_chunks(tmp_path, twins, "twins"))()
    assert len(llm.seen) == 1
    assert made.manifest.rows_out == 40
    assert made.manifest.cost.cached_requests == 7


def test_two_runs_at_once_make_the_same_dataset(run_stage, few, llm):
    instruct = Instruct(run_stage, few, llm)
    llm.behave(latency=0.05, malformed=0.3)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda name: instruct(name), ("one", "two"))
    assert first.hash == second.hash
    check_books(first, 6)
    assert len(instruct.cached()) == len({request.question for request in llm.seen})


def test_concurrency_falls_on_429_and_waiting_holds_no_slot(instruct, llm, tmp_path):
    chunks = write_chunks(tmp_path, synthetic_chunks(10, 4), "forty")
    llm.behave(rate_limited=0.5, retry_after=("1",), latency=0.05)
    made = instruct.on(chunks)(concurrency=4)
    assert made.manifest.metrics["lowest_concurrency"] < 4
    assert llm.most_under_way <= 4
    assert made.manifest.accounts["chunks"].kept == 40
    limited = [request for request in llm.seen if request.outcome == "rate_limited"]
    assert len(limited) == made.manifest.metrics["tries_rate_limited"] >= 8
    for request in limited:
        again = next(r for r in llm.seen if r.question == request.question and r.order == request.order + 1)
        assert again.at - request.at >= 1, "Retry-After is honoured"
    first = [r for r in llm.seen if limited[0].at < r.at < limited[0].at + 1]
    assert len({r.question for r in first}) > 4, "others were served meanwhile, more than there are slots"


def test_one_request_that_is_always_told_to_wait_fails_alone(instruct, llm):
    """Such as one that is longer than the server's limit of tokens per minute."""
    llm.behave(latency=0.02)
    instruct(concurrency=1)
    victim = llm.forget()[2].question
    llm.behave(always_limited=victim)
    made = instruct("again", env={"NOCTURNE_CACHE": str(instruct.runner.folder / "empty")}, patience=1.5, max_failed=1)
    check_books(made, 6)
    assert made.manifest.accounts["chunks"].failed == {"rate_limited": 1}
    assert made.manifest.accounts["chunks"].kept == 5


def test_no_secret_in_logs_or_data(instruct, llm):
    llm.behave(key="another")
    ended = instruct().ended
    assert ended.exit_code == 10
    assert "refused the key" in ended.stderr
    assert "sk-a-secret" not in ended.stderr + ended.stdout
    llm.behave(key="")
    instruct()
    for path in instruct.runner.folder.rglob("*"):
        assert not path.is_file() or b"sk-a-secret" not in path.read_bytes(), path


def test_a_run_that_gives_up_brings_home_what_is_under_way(instruct, llm):
    llm.behave(latency=0.4, refuse_nth=3)
    assert instruct(concurrency=3).ended.exit_code == 10
    assert instruct.cached() == {request.question for request in llm.answered()}
    assert len(instruct.cached()) == 2


def test_told_to_stop_it_brings_home_what_is_under_way(run_stage, few, llm, tmp_path):
    llm.behave(latency=1)
    instruct = Instruct(run_stage, few, llm)
    process = instruct.start(concurrency=4)
    while len(llm.seen) < 4:
        time.sleep(0.01)
    process.terminate()
    _, stderr = process.communicate()
    assert process.returncode == 143
    assert "Traceback" not in stderr
    assert len(instruct.cached()) == len(llm.answered()) == len(llm.seen) == 4
    assert list((tmp_path / "made").glob(".*")) == [tmp_path / "made/.scratch"]
