"""What clients do that they should not: each gets an answer that says so, and the next client never notices."""

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from finetune.serve.answering import Answer, Pieces
from finetune.serve.server import MOST_BYTES, MOST_WAITING, Endpoint, make_server
from serving import post

HI = [{"role": "user", "content": "Tell me about pytest."}]
ASK = {"model": "champion", "messages": HI, "max_tokens": 4}
MEGABYTE = bytes(2**20)


def memory(pid):
    """Memory that a process holds, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def send(url, pieces, length=None, path="/v1/chat/completions"):
    """Send a body piece by piece, with this length said in advance; status and error of the answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.putrequest("POST", path)
    if length is not None:
        connection.putheader("Content-Length", str(length))
    connection.endheaders()
    for piece in pieces:
        connection.send(piece)
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())["error"]
    connection.close()
    return found


def test_a_body_of_a_hundred_megabytes_is_refused_and_kept_nowhere(served):
    assert post(f"{served.url}/v1/chat/completions", ASK)[0] == 200
    before = memory(served.pid)
    for _ in range(2):
        status, error = send(served.url, (MEGABYTE for _ in range(100)), length=100 * 2**20)
        assert status == 413
        assert error["message"] == f"Content-Length is 104857600; expected at most {MOST_BYTES:,} bytes"
    assert memory(served.pid) - before < 20
    assert post(f"{served.url}/v1/chat/completions", ASK)[0] == 200


def test_a_body_without_a_length_is_refused(served):
    assert send(served.url, [])[0] == 411


def with_(**fields):
    return json.dumps(ASK | fields).encode()


def saying(content, role="user"):
    return with_(messages=[{"role": role, "content": content}])


SENSELESS = {
    "empty": (b"", "not JSON"),
    "bytes": (b"\xff\xfe{}", "not JSON"),
    "deep": (b"[" * 100_000, "nested too deeply"),
    "half a pair": (saying("\ud800"), "no Unicode"),
    "name": (with_(model="\ud800"), "no Unicode"),
    "role": (saying("Hi", role="prophet"), "role"),
    "long": (saying("word " * 100_000), "context"),
    "huge": (with_(max_tokens=10**30), "exceed the context"),
    "absurd": (with_(max_tokens=10**9), "exceed the context"),
    "absurd stream": (with_(max_tokens=10**9, stream=True), "exceed the context"),
    "negative": (with_(max_tokens=-1), "max_tokens"),
    "nan": (with_(temperature=float("nan")), "temperature"),
}


@pytest.mark.parametrize("case", SENSELESS)
def test_what_makes_no_sense_is_refused_in_openais_form(served, case):
    body, says = SENSELESS[case]
    status, got = post(f"{served.url}/v1/chat/completions", body)
    assert status == 400
    assert set(got["error"]) == {"message", "type", "param", "code"}
    assert got["error"]["type"] == "invalid_request_error"
    assert says in got["error"]["message"]


def test_another_model_is_named_as_openai_does(served):
    status, got = post(f"{served.url}/v1/chat/completions", ASK | {"model": "gpt-4"})
    assert (status, got["error"]["code"]) == (404, "model_not_found")


def test_thirty_clients_at_once_get_what_one_gets(served):
    def ask(number):
        return post(f"{served.url}/v1/chat/completions", ASK | {"max_tokens": 2 + number % 3})

    alone = [ask(number)[1]["choices"] for number in range(3)]
    before = memory(served.pid)
    with ThreadPoolExecutor(30) as clients:
        answers = list(clients.map(ask, range(60)))
    assert {status for status, _ in answers} == {200}
    assert [answer["choices"] for _, answer in answers] == [alone[number % 3] for number in range(60)]
    assert len({answer["id"] for _, answer in answers}) == 60
    assert memory(served.pid) - before < 50


def test_a_client_that_leaves_in_the_middle_of_a_stream_costs_the_others_nothing(served):
    url = urlsplit(served.url)
    for _ in range(3):
        connection = http.client.HTTPConnection(url.netloc, timeout=60)
        connection.request("POST", "/v1/chat/completions", json.dumps(ASK | {"max_tokens": 100, "stream": True}))
        assert connection.getresponse().readline().startswith(b"data: {")
        connection.close()
    assert post(f"{served.url}/v1/chat/completions", ASK)[0] == 200


def test_its_names_and_health_are_told(served):
    connection = http.client.HTTPConnection(urlsplit(served.url).netloc)
    for path, found in (("/health", {}), ("/v1/models", ["champion", "demo", "demo/1"])):
        connection.request("GET", path)
        answer = connection.getresponse()
        got = json.loads(answer.read())
        assert answer.status == 200
        assert (got if path == "/health" else [model["id"] for model in got["data"]]) == found
    connection.request("GET", "/v1/engines")
    assert connection.getresponse().status == 404


class Slow:
    """A model that answers when told to."""

    context = 100

    def __init__(self):
        self.now = threading.Event()

    def answer(self, messages, sampling, say=None):
        self.now.wait()
        return Answer("Yes.", 1, 1, True)


def test_more_clients_than_there_is_room_for_are_told_to_come_again():
    slow = Slow()
    with make_server(Endpoint(slow, ("champion",)), "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/v1/chat/completions"
        with ThreadPoolExecutor(MOST_WAITING + 1) as clients:
            asked = [clients.submit(post, url, ASK) for _ in range(MOST_WAITING + 1)]
            refused = next(iter(filter(None, (_refused(asked) for _ in range(2_000)))))
            slow.now.set()
        server.shutdown()
    statuses = sorted(future.result()[0] for future in asked)
    assert statuses == [200] * MOST_WAITING + [503]
    assert refused["type"] == "server_error"


def _refused(asked):
    """The error of the one that was not let in, as soon as it is there."""
    threading.Event().wait(0.01)
    return next((future.result()[1]["error"] for future in asked if future.done()), None)


class Letters:
    """A tokenizer whose ids are bytes of UTF-8."""

    def decode(self, ids, skip_special_tokens):
        return bytes(ids).decode(errors="replace")


@pytest.mark.parametrize("text", ["plain", "ünïcödé ‡ 🦉 end", "🦉"])
def test_a_stream_never_holds_half_a_character(text):
    import torch

    said = []
    pieces = Pieces(Letters(), said.append)
    pieces.put(torch.tensor([[1, 2, 3]]))  # the prompt
    for byte in text.encode():
        pieces.put(torch.tensor([byte]))
    pieces.end()
    assert "".join(said) == text
    assert all("�" not in piece for piece in said)
    assert len(said) == len(text)
