"""Five hundred chunks through a server of which a quarter goes wrong: nothing lost, nothing paid twice, limits kept.

`pytest -s` prints the figures.
"""

import random
import time
from collections import Counter

import pytest

from conftest import Runner
from contract.records import Chunk
from contract.uris import parse_uri
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import PRICE, Instruct, check_books
from llm_server import Behaviour, LlmServer
from stagekit.dataset import open_dataset

FAULTS = Behaviour(
    rate_limited=0.10, server_error=0.05, cut_off=0.03, malformed=0.05, refusal=0.02, retry_after=("", "", "1", "date")
)
CHUNKS = 500
CONCURRENCY = 8


@pytest.fixture(scope="module")
def chunks(article_chunks, tmp_path_factory) -> str:
    """The articles' chunks; without the articles, as many made-up ones."""
    return article_chunks or write_chunks(tmp_path_factory.mktemp("chunks"), synthetic_chunks(76, 7)[:CHUNKS])


@pytest.fixture(scope="module")
def server():
    with LlmServer(FAULTS, seed=2) as server:
        yield server


@pytest.fixture(scope="module")
def undisturbed(chunks, server, tmp_path_factory):
    """One run from start to end; what the server saw of it."""
    instruct = Instruct(Runner("process", tmp_path_factory.mktemp("undisturbed")), chunks, server)
    server.forget()
    made = instruct(concurrency=CONCURRENCY)
    return instruct, made, server.forget()


@pytest.fixture
def fresh(tmp_path, chunks, server) -> Instruct:
    """A store in which nothing was answered yet."""
    server.forget()
    return Instruct(Runner("process", tmp_path), chunks, server)


def test_every_chunk_and_every_request_is_accounted_for(undisturbed):
    _, made, seen = undisturbed
    check_books(made, CHUNKS)
    requests, cost = made.manifest.accounts["requests"], made.manifest.cost
    answered = [request for request in seen if request.delivered]
    assert {request.outcome for request in seen} == {
        *("good", "rate_limited", "server_error", "cut_off", "malformed", "refusal"),
    }
    # The articles hold passages that come twice; their second request is answered by the first.
    assert requests.total - cost.cached_requests == len(answered) == len({request.question for request in answered})
    assert requests.dropped["refusal"] == sum(request.outcome == "refusal" for request in answered)
    assert cost.requests == len(seen)
    tokens = sum(r.prompt_tokens for r in answered), sum(r.completion_tokens for r in answered)
    assert (cost.prompt_tokens, cost.completion_tokens) == tokens
    assert cost.money == pytest.approx(_money(answered))
    print(f"\nserver: {dict(Counter(request.outcome for request in seen))}\nmanifest: {cost!r}")
    for name, account in made.manifest.accounts.items():
        print(f"{name}: {account!r}")


def test_the_same_run_again_sends_nothing(undisturbed, server):
    instruct, made, _ = undisturbed
    server.forget()
    again = instruct("again", concurrency=CONCURRENCY)
    assert server.seen == []
    assert again.hash == made.hash
    assert again.manifest.accounts == made.manifest.accounts
    cost = again.manifest.cost
    assert (cost.requests, cost.cached_requests, cost.money) == (0, made.manifest.accounts["requests"].total, 0)
    cached_before = made.manifest.metrics["cached_prompt_tokens"]
    print(f"\nagain: {len(server.seen)} requests sent, {cost.cached_requests} answers kept, the same content hash")
    assert again.manifest.metrics["cached_prompt_tokens"] == made.manifest.cost.prompt_tokens + cached_before


def test_half_the_money_buys_half_and_more_money_buys_only_the_rest(undisturbed, fresh, server):
    _, whole, seen = undisturbed
    cap = round(_money([r for r in seen if r.delivered]) / 2, 6)
    half = fresh("half", concurrency=CONCURRENCY, budget={"money": cap})
    check_books(half, CHUNKS)
    first = server.forget()
    spent, billed = _money([r for r in first if r.delivered]), _money(first)
    assert half.manifest.cost.money == pytest.approx(spent)
    # The server bills the answers that were cut off too; the run cannot know, and allows for them at an average.
    dearest = (2_500 * PRICE["prompt"] + 1_200 * PRICE["completion"]) / 1e6
    assert abs(cap - billed) <= dearest
    assert spent <= cap
    assert half.manifest.accounts["chunks"].skipped["budget"] > 200
    assert half.manifest.metrics["budget_reached"] == "money"
    assert "budget reached" in half.ended.stderr

    print(f"\ncap {cap:.6f}: billed {billed:.6f}, received {spent:.6f}, {half.manifest.accounts['chunks']!r}")

    rest = fresh("rest", concurrency=CONCURRENCY, budget={"money": 2 * cap + 1})
    second = server.forget()
    paid_twice = {r.question for r in first if r.delivered} & {r.question for r in second if r.delivered}
    assert paid_twice == set()
    assert rest.hash == whole.hash
    print(f"more money: {len(second)} requests, {rest.manifest.cost.money:.6f} received")
    assert rest.manifest.cost.money == pytest.approx(_money([r for r in second if r.delivered]))


@pytest.mark.slow
def test_killed_ten_times_it_pays_nothing_twice_and_makes_the_same_dataset(undisturbed, fresh, server):
    _, whole, _ = undisturbed
    rng = random.Random(20_261_123)
    kept: set[str] = set()
    for _ in range(10):
        before = len(server.seen)
        process = fresh.start(concurrency=CONCURRENCY)
        enough = before + rng.randint(1, 80)
        while len(server.seen) < enough and process.poll() is None:
            time.sleep(0.005)
        time.sleep(rng.random() * 0.03)
        process.kill()
        process.communicate()
        assert not kept & {request.question for request in server.seen[before:]}, "asked again what was kept"
        kept = fresh.cached()
    before = len(server.seen)
    made = fresh(concurrency=CONCURRENCY)
    assert not kept & {request.question for request in server.seen[before:]}
    assert made.hash == whole.hash
    check_books(made, CHUNKS)
    print(f"\nten kills: {len(server.seen)} requests, {len(kept)} answers kept at the last one, the same content hash")
    # What was on the wire at a kill may have been answered and lost; no more than what was noted was ever asked twice.
    answered = [request.question for request in server.seen if request.delivered]
    noted, cost = made.manifest.metrics, made.manifest.cost
    assert len(answered) - len(set(answered)) <= noted["in_flight_at_kills"] <= 10 * CONCURRENCY
    sent = cost.requests + noted["in_flight_at_kills"]
    assert len(server.seen) <= sent <= len(server.seen) + 10 * CONCURRENCY, "noted, and killed before it was sent"
    assert 0 <= sum(server.tokens()) - cost.prompt_tokens - cost.completion_tokens <= noted["lost_tokens_held"]
    assert 0 <= _money(server.answered()) - cost.money <= noted["lost_money_held"]


def test_a_night_later_only_what_is_new_or_changed_is_asked(undisturbed, chunks, server, tmp_path):
    """Three documents more, one changed, one gone."""
    instruct, _, _ = undisturbed
    old = list(open_dataset(parse_uri(chunks)).records(Chunk))
    documents = list(dict.fromkeys(chunk.document_id for chunk in old))
    gone, changed = documents[5], documents[9]
    tonight = [_edited(chunk) if chunk.document_id == changed else chunk for chunk in old if chunk.document_id != gone]
    more = [c.model_copy(update={"id": f"new-{c.id}", "document_id": f"new-{n}", "text": f"New {n}: {c.text}"})
            for n in range(3) for c in old[:4]]  # fmt: skip
    expected = {chunk.text for chunk in tonight + more} - {chunk.text for chunk in old}
    server.forget()
    made = instruct.on(write_chunks(tmp_path, tonight + more, "tonight"))("tonight", concurrency=CONCURRENCY)
    first = [request for request in server.seen if len(request.body["messages"]) == 2]
    asked = {text for text in expected if any(text in r.body["messages"][1]["content"] for r in first)}
    print(f"\na night later: {len(first)} requests for {len(expected)} new texts among {len(tonight + more)} chunks")
    assert asked == expected
    assert len({request.question for request in first}) == len(expected)
    check_books(made, len(tonight) + len(more))


def _edited(chunk: Chunk) -> Chunk:
    return chunk.model_copy(
        update={"id": f"{chunk.id}x", "text": chunk.text.replace(" the ", " this ", 1) + " Indeed."}
    )


def _money(requests) -> float:
    prompt, completion = sum(r.prompt_tokens for r in requests), sum(r.completion_tokens for r in requests)
    return (prompt * PRICE["prompt"] + completion * PRICE["completion"]) / 1e6
