"""Bad input to the stages that talk to a language model: one clear message, the right exit code, nothing lost."""

import json
import socket

import pytest

from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import QUICK, Instruct
from llm_server import Behaviour, LlmServer

QUOTA = {"code": "insufficient_quota"}
OPENAI = {"base_url": None}
NO_KEY = {"OPENAI_API_KEY": ""}

# what, the server's behaviour, config, environment, exit code, part of the message
ROWS = [
    ("answers 500 to everything", {"status": 500}, {"attempts": 2}, {}, 13, "does not answer: HTTP 500"),
    ("is too slow", {"latency": 5}, {"timeout": 0.2, "attempts": 2}, {}, 13, "no answer within 0.2 s"),
    ("limits the rate for ever", {"status": 429}, {"patience": 1}, {}, 13, "gave no answer for 1 s (HTTP 429"),
    ("has a limit of an hour", {"rate_limited": 1, "retry_after": ("3600",)}, {}, {}, 13, "another wait of 3.6e+03 s"),
    ("is out of money", {"status": 429, "error": QUOTA}, {}, {}, 13, "no money left"),
    ("cuts every answer off", {"cut_off": 1}, {"attempts": 2}, {}, 13, "the connection broke"),
    ("writes prose for JSON", {"prose": True}, {"reasks": 1}, {}, 12, "nothing is left of 6 rows: malformed 6"),
    ("refuses everything", {"refusal": 1}, {}, {}, 12, "nothing is left of 6 rows: refusal 6"),
    ("wants another key", {"key": "sk-x"}, {}, {}, 10, "refused the key (HTTP 401: Incorrect API key provided: ***"),
    ("does not know the model", {"status": 404}, {}, {}, 10, "does not know the model or the address"),
    ("calls every request malformed", {"status": 422}, {}, {}, 10, "refused every request so far: HTTP 422: no"),
    ("is OpenAI and there is no key", {}, OPENAI, NO_KEY, 10, "OPENAI_API_KEY is not set"),
    ("has no price and money is limited", {}, {"price": None, "budget": {"money": 1}}, {}, 10, "price is unknown"),
    ("has a limit of no money", {}, {"budget": {"money": 0}}, {}, 12, "nothing is left of 6 rows: budget 6"),
    ("may not be asked at all", {}, {"budget": {"requests": 0}, "on_budget": "fail"}, {}, 14, "the limit on requests"),
    ("is not a web address", {}, {"base_url": "localhost:8000"}, {}, 10, "`base_url` is \"localhost:8000\""),
    ("takes a password in its address", {}, {"base_url": "http://me:word@host/v1"}, {}, 10, "`base_url`"),
    ("is asked by an unknown prompt", {}, {"prompt": "nonsense"}, {}, 10, "expected one of backtranslate-1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("behaviour", "config", "env", "code", "message"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
def test_a_server_that(run_stage, tmp_path, behaviour, config, env, code, message):
    chunks = write_chunks(tmp_path, synthetic_chunks(2, 3))
    with LlmServer(Behaviour(**behaviour)) as server:
        instruct = Instruct(run_stage, chunks, server)
        ended = instruct(env=env, **config).ended
        answered = {request.question for request in server.answered()}
    assert (ended.exit_code, message in ended.stderr) == (code, True), ended.stderr
    assert "Traceback" not in ended.stderr
    assert "sk-a-secret" not in ended.stderr
    assert answered == instruct.cached(), "an answer was lost"


def test_a_server_that_is_down(run_stage, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    instruct = Instruct(run_stage, write_chunks(tmp_path, synthetic_chunks(1, 5)))
    ended = instruct(**QUICK, provider="openai", base_url=f"http://127.0.0.1:{port}/v1", attempts=2).ended
    assert ended.exit_code == 13
    assert "does not answer: no connection" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_server_that_dies_half_way_loses_no_answer(run_stage, tmp_path):
    chunks = write_chunks(tmp_path, synthetic_chunks(10, 4))
    with LlmServer(Behaviour()) as server:
        instruct = Instruct(run_stage, chunks, server)
        server.behave(dies_after=15)
        ended = instruct(attempts=2).ended
        assert (ended.exit_code, "answers so far are kept" in ended.stderr) == (13, True), ended.stderr
        assert len(instruct.cached()) == 15
        server.behave(dies_after=0)
        server.forget()
        assert instruct().manifest.accounts["chunks"].kept == 40
        assert len(server.seen) == 25


def test_a_few_requests_that_fail_for_good_are_booked_and_more_fail_the_run(run_stage, tmp_path):
    chunks = write_chunks(tmp_path, synthetic_chunks(5, 4))
    with LlmServer(Behaviour(server_error=0.4)) as server:
        instruct = Instruct(run_stage, chunks, server)
        strict = instruct("strict", attempts=1, concurrency=1).ended
        assert (strict.exit_code, "of 20 chunks failed (server_error" in strict.stderr) == (13, True), strict.stderr
    with LlmServer(Behaviour(server_error=0.4), seed=1) as server:
        lenient = Instruct(run_stage, chunks, server)("lenient", attempts=1, max_failed=1, concurrency=1)
        failed = lenient.manifest.accounts["chunks"].failed["server_error"]
        assert 0 < failed == sum(request.outcome == "server_error" for request in server.seen)
        rows = {row["id"]: row["text"] for e in lenient.ledger if e.account == "chunks" for row in [json.loads(e.row)]}
        assert rows == {chunk.id: chunk.text for chunk in synthetic_chunks(5, 4) if chunk.id in rows}


def test_damaged_answers_in_the_cache_are_asked_again(run_stage, tmp_path):
    chunks = write_chunks(tmp_path, synthetic_chunks(1, 4))
    with LlmServer(Behaviour()) as server:
        instruct = Instruct(run_stage, chunks, server)
        whole = instruct("whole")
        first, second, *_ = sorted((tmp_path / "cache/llm").rglob("*.json"))
        first.write_bytes(first.read_bytes()[:50])
        second.write_bytes(b"")
        server.forget()
        again = instruct("again")
        assert len(server.seen) == 2
        assert again.hash == whole.hash
        assert "damaged answer" in again.ended.stderr
        server.forget()
        assert instruct("third").hash == whole.hash
        assert server.seen == []
