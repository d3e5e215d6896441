"""Several models at once: who is asked, who stands in, and with which key."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.config.instruct import InstructConfig
from contract.config.llm import Endpoint, WeightedEndpoint, key_names, servers
from contract.records import Message
from generate.llm.endpoints import api_keys, own_endpoint
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import PRICE, check_books
from llm_server import Behaviour, LlmServer

MODELS = [WeightedEndpoint(model=name, base_url=f"http://{name}/v1", weight=n) for n, name in enumerate("abc", 1)]


@pytest.fixture
def other():
    """A second server."""
    with LlmServer(Behaviour()) as server:
        yield server


def keys_sent(server: LlmServer) -> set[str]:
    return {request.headers["authorization"] for request in server.seen}


def opening(number: int) -> tuple[Message, ...]:
    return (Message(role="system", content="s"), Message(role="user", content=f"chunk {number}"))


def test_rows_are_shared_by_weight():
    config = InstructConfig(endpoints=MODELS)
    counts = Counter(own_endpoint(config, opening(n)).model for n in range(6_000))
    assert [round(counts[name] / 1_000, 1) for name in "abc"] == pytest.approx([1, 2, 3], abs=0.15)


@settings(max_examples=40, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 10_000), max_size=30), weights=st.lists(st.floats(0.1, 9), min_size=2, max_size=5)
)
def test_a_model_more_takes_rows_from_all_and_moves_none_between_the_others(numbers, weights):
    models = [WeightedEndpoint(model=f"m{n}", weight=weight) for n, weight in enumerate(weights)]
    fewer, more = InstructConfig(endpoints=models[:-1]), InstructConfig(endpoints=models[::-1])
    for number in numbers:
        before, after = own_endpoint(fewer, opening(number)), own_endpoint(more, opening(number))
        assert after in (before, models[-1])


def test_a_conversation_stays_with_its_model():
    config = InstructConfig(endpoints=MODELS)
    for number in range(50):
        said = (Message(role="assistant", content="no JSON"), Message(role="user", content="again, please"))
        assert own_endpoint(config, opening(number) + said) == own_endpoint(config, opening(number))


def test_two_models_at_two_servers_share_the_rows_and_another_run_sends_nothing(instruct, llm, other, tmp_path):
    chunks = instruct.on(write_chunks(tmp_path, synthetic_chunks(10, 4), "forty"))
    endpoints = [
        {"model": "big", "base_url": llm.url, "price": {"prompt": 2.0, "completion": 8.0}},
        {"model": "small", "base_url": other.url, "price": PRICE, "weight": 3},
    ]
    made = chunks(endpoints=endpoints, price=None, budget={"money": 5})
    check_books(made, 40)
    assert 3 <= len(llm.seen) < len(other.seen)
    assert {sample.model for sample in made.samples} == {"big", "small"}
    money = sum(
        (server.tokens()[0] * price["prompt"] + server.tokens()[1] * price["completion"]) / 1e6
        for server, price in ((llm, endpoints[0]["price"]), (other, PRICE))
    )
    assert made.manifest.cost.money == pytest.approx(money)
    llm.forget(), other.forget()
    again = chunks("again", endpoints=endpoints[::-1], price=None)
    assert (llm.seen, other.seen) == ([], [])
    assert again.hash == made.hash


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ({"status": 503}, "does not answer"),
        ({"key": "another"}, "refused the key"),
        ({"status": 402}, "no money left"),
        ({"status": 404}, "does not know the model"),
    ],
)
def test_a_fallback_answers_where_a_server_is_given_up_and_another_run_finds_its_answers(
    instruct, llm, other, behaviour, why
):
    llm.behave(**behaviour)
    fallbacks = [{"model": "stand-in", "base_url": other.url, "price": PRICE}]
    made = instruct(fallbacks=fallbacks, attempts=1, concurrency=1)
    check_books(made, 6)
    assert {sample.model for sample in made.samples} == {"stand-in"}
    assert made.manifest.metrics["answered_by_fallback"] == 6
    assert "gave up a server" in made.ended.stderr
    assert why in made.ended.stderr
    assert made.manifest.cost.requests == len(llm.seen) + len(other.seen)
    assert len(llm.seen) < 6, "a dead server is not asked for every row"
    llm.behave(status=200, key="")
    llm.forget(), other.forget()
    again = instruct("again", fallbacks=fallbacks)
    assert (llm.seen, other.seen) == ([], [])
    assert again.hash == made.hash


def test_one_request_that_a_model_refuses_goes_to_the_next(instruct, llm, other, tmp_path):
    llm.behave(formats=(), max_length=2_200)
    fallbacks = [{"model": "longer", "base_url": other.url, "price": PRICE}]
    made = instruct.on(write_chunks(tmp_path, synthetic_chunks(6, 5), "thirty"))(fallbacks=fallbacks)
    check_books(made, 30)
    assert Counter(sample.model for sample in made.samples).keys() == {"gpt-4o-mini", "longer"}
    assert made.manifest.accounts["chunks"].kept == 30


def test_where_the_last_one_is_dead_too_the_run_gives_up_and_keeps_what_it_has(instruct, llm, other):
    llm.behave(status=503)
    other.behave(dies_after=2)
    ended = instruct(fallbacks=[{"model": "x", "base_url": other.url, "price": PRICE}], attempts=1, concurrency=1).ended
    assert ended.exit_code == 13
    assert other.url in ended.stderr
    assert len(instruct.cached()) == 2


def test_each_server_gets_its_own_key(instruct, llm, other, monkeypatch):
    llm.behave(key="sk-a-secret-for-tests")
    other.behave(key="sk-the-other-one")
    endpoints = [{"model": "m", "base_url": llm.url}, {"model": "m", "base_url": other.url, "key": "TOGETHER_API_KEY"}]
    ended = instruct(endpoints=endpoints).ended
    assert (ended.exit_code, "TOGETHER_API_KEY is not set" in ended.stderr) == (10, True)
    made = instruct(endpoints=endpoints, env={"TOGETHER_API_KEY": "sk-the-other-one"})
    assert made.manifest.accounts["chunks"].kept == 6
    assert min(len(llm.seen), len(other.seen)) > 0
    for path in instruct.runner.folder.rglob("*"):
        assert not path.is_file() or b"sk-the-other" not in path.read_bytes(), path


def test_one_server_has_one_key(instruct, llm):
    endpoints = [{"model": "m", "base_url": llm.url}, {"model": "n", "base_url": llm.url, "key": "X_API_KEY"}]
    ended = instruct(endpoints=endpoints, env={"X_API_KEY": "x"}).ended
    assert ended.exit_code == 10
    assert "two keys, OPENAI_API_KEY and X_API_KEY" in ended.stderr


def test_a_server_that_only_the_trigger_form_names_gets_no_key(instruct, llm, other):
    made = instruct(env={"NOCTURNE_KEY_SERVERS": ""})
    assert made.manifest.accounts["chunks"].kept == 6
    assert keys_sent(llm) == {"Bearer none-needed"}
    config = {"base_url": other.url, "key": "X_API_KEY"}
    ended = instruct(**config, env={"NOCTURNE_KEY_SERVERS": llm.url, "X_API_KEY": "sk-of-the-house"}).ended
    assert ended.exit_code == 10
    assert f"X_API_KEY is not sent to {other.url}" in ended.stderr
    assert not other.seen


def test_a_server_that_the_recipe_or_the_deployment_names_gets_the_key(instruct, llm):
    instruct(env={"NOCTURNE_KEY_SERVERS": f"https://other.example {llm.url}"})
    assert keys_sent(llm) == {"Bearer sk-a-secret-for-tests"}


@pytest.mark.parametrize(
    ("server", "told", "sent"),
    [
        ("https://api.openai.com/v1", "", True),
        ("https://API.openai.com:443/v1", "", False),
        ("http://api.openai.com/v1", "", False),
        ("https://api.openai.com.evil.example/v1", "", False),
        ("https://evil.example/https://api.openai.com", "", False),
        ("https://own.example/other", "https://own.example/v1", True),
        ("https://anywhere.example/v1", None, True),
    ],
)
def test_a_key_belongs_to_a_scheme_host_and_port(monkeypatch, server, told, sent):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one")
    monkeypatch.setenv("NOCTURNE_KEY_SERVERS", told) if told is not None else None
    (key,) = api_keys([Endpoint(model="m", base_url=server)], "instruct").values()
    assert (key.value == "sk-one", key.held) == (sent, not sent)


@pytest.mark.parametrize("name", ["lower_case", "NOCTURNE_S3_SECRET_KEY", "AIRFLOW__CORE__FERNET_KEY", "A B", ""])
def test_a_secret_of_the_house_cannot_be_named_as_a_servers_key(name):
    with pytest.raises(ValidationError):
        Endpoint(model="m", key=name)


def test_the_names_of_all_keys_are_found_in_a_config():
    config = InstructConfig(
        key="A_API_KEY",
        endpoints=[WeightedEndpoint(model="m", key="B_API_KEY"), WeightedEndpoint(model="n")],
        fallbacks=[Endpoint(model="o", key="C_API_KEY")],
    )
    assert key_names(config) == {"A_API_KEY", "B_API_KEY", "C_API_KEY"}
    assert key_names(InstructConfig()) == set()
    assert servers(config) == set()
    assert servers(InstructConfig(endpoints=MODELS)) == {"http://a", "http://b", "http://c"}
    assert json.loads(config.model_dump_json())["key"] == "A_API_KEY"
