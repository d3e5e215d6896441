"""The transport: what people set in the environment, and what goes wrong on the way, in the words that follow."""

import asyncio
from tempfile import TemporaryDirectory

import pytest

from contract.failures import BadConfig
from contract.records import Message
from contract.uris import parse_uri
from generate.llm.endpoints import ApiKey
from generate.llm.question import Question
from generate.llm.server import ChatServer, Trouble
from generate.llm.ways import Ways
from generate.llm.wire import encoded, proxy_of
from llm_server import Behaviour, LlmServer
from stagekit.store import open_store

TEXT = "Write 1 pair.\n--------\nA sentence that is long enough to count as one.\n--------"


def ask(address: str, text: str = TEXT, timeout: float = 5):
    messages = (Message(role="system", content="JSON"), Message(role="user", content=text))
    question = Question(address, "m", messages, temperature=0, max_tokens=10, seed=0, schema={"type": "object"})

    async def once(folder: str):
        ways = Ways(address, open_store(parse_uri(folder)))
        server = ChatServer(address, ApiKey("OPENAI_API_KEY", "sk-secret"), timeout, 4, ways)
        try:
            return await server.ask(question)
        finally:
            await server.close()

    with TemporaryDirectory() as folder:
        return asyncio.run(once(folder))


@pytest.mark.parametrize(
    ("set_to", "address", "proxy"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, "https://api.example.com/v1", "http://p:1"),
        ({"https_proxy": "p:1"}, "https://api.example.com/v1", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1"}, "http://api.example.com/v1", None),
        ({"ALL_PROXY": "http://p:1"}, "http://api.example.com/v1", "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "localhost,.example.com"}, "http://api.example.com/v1", None),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "localhost:8000"}, "http://localhost:8000/v1", None),
        ({}, "https://api.example.com/v1", None),
    ],
)
def test_proxies_are_taken_from_the_environment(monkeypatch, set_to, address, proxy):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)
    assert proxy_of(address) == proxy


def test_a_proxy_of_another_kind_is_told_of_before_anything_is_sent(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:pass@p:1")
    with pytest.raises(BadConfig, match="socks5 proxy") as told:
        proxy_of("https://api.example.com/v1")
    assert "pass" not in str(told.value)


def test_requests_go_through_the_proxy(monkeypatch):
    """The server takes a request with a whole URL for the same as one with a path, so it can stand in for a proxy."""
    with LlmServer(Behaviour()) as llm:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{llm.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert "pairs" in ask("http://model.example.invalid/v1").text
        assert len(llm.seen) == 1


def test_organisation_and_project_are_sent_as_the_client_does(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
    with LlmServer(Behaviour()) as llm:
        ask(llm.url)
        headers = llm.seen[0].headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj-1")
    assert headers["authorization"] == "Bearer sk-secret"


@pytest.mark.parametrize(
    ("behaviour", "kind", "billed"),
    [
        ({"status": 503}, "server_error", False),
        ({"cut_off": 1.0}, "cut_off", True),
        ({"latency": 5}, "timeout", True),
        ({"rate_limited": 1.0}, "rate_limited", False),
    ],
)
def test_each_trouble_has_its_name(behaviour, kind, billed):
    with LlmServer(Behaviour(**behaviour)) as llm, pytest.raises(Trouble) as trouble:
        ask(llm.url, timeout=0.3 if kind == "timeout" else 5)
    assert (trouble.value.kind, trouble.value.billed) == (kind, billed)


def test_a_server_that_is_not_there_costs_nothing():
    with pytest.raises(Trouble) as trouble:
        ask("http://127.0.0.1:9/v1")
    assert (trouble.value.kind, trouble.value.billed) == ("unreachable", False)


def test_half_a_utf_16_pair_can_be_sent():
    assert encoded({"a": "\ud83d"}) == b'{"a": "\\ud83d"}'
    with LlmServer(Behaviour()) as llm:
        assert "pairs" in ask(llm.url, TEXT.replace("A sentence", "A \ud83d sentence")).text
