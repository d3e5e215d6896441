"""A registered model behind HTTP: its ids are those of the training, its answers those of the evaluation."""

import json
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from conftest import ROOT
from contract.failures import BadInput, RemoteTrouble
from finetune.chat import FORMATS, dress, encode
from finetune.data import read_splits
from finetune.exported import Exchange, read_parity, trained_prompt
from finetune.serve import find
from finetune.serve.answering import Answer, Served, load_served
from finetune.serve.chat_request import Refused, read_request
from finetune.serve.find import Registered, fetch, resolve
from finetune.serve.parity import check_parity, require
from finetune.serve.server import Endpoint, make_server
from finetune.tiny import train_tokenizer
from published import sample
from serving import post
from stagekit.dataset import open_dataset
from stagekit.store import resolve as address_of

HI = [{"role": "user", "content": "Tell me about pytest."}]


def test_it_checks_itself_before_it_is_ready(served, walked):
    assert "parity asked=4 same_ids=4 same_answers=4" in served.said
    kept = (served.into / "current").resolve()
    assert kept.name == f"demo-1-{walked.results['export']['content_hash'][:12]}"
    exported = walked.file("export", "model")
    for name in ("README.md", "parity.json", "chat_template.jinja", "generation_config.json"):
        assert (kept / name).read_bytes() == (exported / name).read_bytes(), name


def test_greedy_answers_are_those_that_were_evaluated(served, walked):
    answers = json.loads(walked.file("evaluate", "comparison.json").read_text())["answers"]
    for answer in answers:
        messages = [{"role": "user", "content": answer["instruction"]}]
        body = {"model": "champion", "messages": messages, "temperature": 0, "max_tokens": 8}
        status, got = post(f"{served.url}/v1/chat/completions", body)
        assert (status, got["choices"][0]["message"]["content"].strip()) == (200, answer["tuned"]["text"])


def test_the_ids_that_the_model_gets_are_those_that_were_trained(served, walked):
    dataset = open_dataset(address_of(walked.dataset))
    tokenizer = load_served(walked.file("export", "model")).tokenizer
    for row in read_splits(dataset)[0][:5]:
        said = [{"role": message.role, "content": message.content} for message in row.messages[:-1]]
        status, got = post(f"{served.url}/tokenize", {"model": "demo", "messages": said})
        encoded = encode(tokenizer, row.messages)
        assert (status, got["tokens"]) == (200, encoded.ids[: encoded.mask.index(True)])
        assert got["count"] == len(got["tokens"])


def test_openais_own_client_is_told_what_was_evaluated_whole_and_in_pieces(served, walked):
    program = (
        "import json, sys, openai\n"
        "client = openai.OpenAI(base_url=sys.argv[1], api_key='none')\n"
        "model = client.models.list().data[0].id\n"
        "def ask(question, **how):\n"
        "    said = [{'role': 'user', 'content': question}]\n"
        "    return client.chat.completions.create(model=model, messages=said, max_tokens=8, temperature=0, **how)\n"
        "for question in json.loads(sys.argv[2]):\n"
        "    whole = ask(question)\n"
        "    *pieces, counts = ask(question, stream=True, stream_options={'include_usage': True})\n"
        "    text = ''.join(piece.choices[0].delta.content or '' for piece in pieces)\n"
        "    ends = [piece.choices[0].finish_reason for piece in pieces]\n"
        "    print(json.dumps([model, whole.choices[0].message.content, text, whole.choices[0].finish_reason, ends,\n"
        "                      whole.usage.completion_tokens, counts.usage.completion_tokens]))\n"
    )
    python = ROOT / ".venv/generate/bin/python"
    if not python.exists():
        pytest.skip("no environment with openai's client (make venvs)")
    answers = json.loads(walked.file("evaluate", "comparison.json").read_text())["answers"]
    questions = json.dumps([answer["instruction"] for answer in answers])
    command = [python, "-c", program, f"{served.url}/v1", questions]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for line, answer in zip(done.stdout.splitlines(), answers, strict=True):
        model, whole, streamed, reason, reasons, tokens, counted = json.loads(line)
        assert (model, whole.strip()) == ("champion", answer["tuned"]["text"])
        assert (streamed, counted) == (whole, tokens)
        assert reasons == [None] * (len(reasons) - 1) + [reason]
        assert (reason == "length") == (tokens == 8)


def test_several_clients_get_their_own_answers(served):
    texts = ["One.", "A second one.", "And a third."]

    def ask(text):
        body = {"model": "demo/1", "messages": [{"role": "user", "content": text}], "max_tokens": 6}
        return post(f"{served.url}/v1/chat/completions", body)[1]["choices"][0]["message"]["content"]

    one_by_one = [ask(text) for text in texts]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, texts)) == one_by_one


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"model": "other", "messages": HI}, 404, "no model 'other'; there is champion, demo, demo/1"),
        ({"model": "demo", "messages": HI, "stream": "maybe"}, 400, "stream"),
        ({"model": "demo", "messages": HI, "max_tokens": 10**6}, 400, "exceed the context"),
        ({"model": "demo", "messages": []}, 400, "messages"),
        (b"{", 400, "not JSON"),
    ],
    ids=["model", "stream", "long", "empty", "json"],
)
def test_what_it_cannot_do_is_refused_with_a_reason(served, body, status, says):
    got = post(f"{served.url}/v1/chat/completions", body)
    assert got[0] == status
    assert says in got[1]["error"]["message"]


def test_another_template_or_other_weights_are_noticed(walked):
    folder = walked.file("export", "model")
    served, exchanges = load_served(folder), read_parity(folder)[:2]
    with listening(Endpoint(served, ("champion",))) as url:
        assert check_parity(url, "champion", exchanges).holds
        changed = [Exchange(exchange.messages, exchange.ids, "Not what it says.") for exchange in exchanges]
        other = check_parity(url, "champion", changed)
        require(other, url, exact=False)
        with pytest.raises(BadInput, match=r"0 the same answer; answered .* and not 'Not what it says\.'"):
            require(other, url, exact=True)
        served.tokenizer.chat_template = "{{ bos_token }}" + served.tokenizer.chat_template
        with pytest.raises(BadInput, match=r"0 have the same token ids.*ids differ from token 1 on"):
            require(check_parity(url, "champion", exchanges), url, exact=False)
        with pytest.raises(RemoteTrouble, match="refused with 404"):
            check_parity(url, "other", exchanges)
    with pytest.raises(RemoteTrouble, match="does not answer"):
        check_parity(url, "champion", exchanges)


@contextmanager
def listening(endpoint):
    with make_server(endpoint, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@dataclass
class Rendering:
    """A tokenizer alone behind the endpoint: what it makes of a conversation needs no model."""

    tokenizer: object
    context: int = 1_000

    def prompt_ids(self, messages):
        return Served(self.tokenizer, None).prompt_ids(messages)

    def answer(self, messages, sampling, say=None):
        return Answer("", 0, 0, True)


@pytest.mark.parametrize("template", FORMATS)
def test_each_template_is_served_as_it_is_trained(template):
    turns = [
        ("system", "Be brief."),
        ("user", "Who?"),
        ("assistant", "I."),
        ("user", " And where? "),
        ("assistant", "Here."),
    ]
    turns = turns if template not in ("gemma", "mistral") else turns[1:]
    tokenizer = train_tokenizer([text for _, text in turns], vocabulary=400)
    dress(tokenizer, template, "<pad>")
    messages, ids = trained_prompt(tokenizer, sample(1, "test", *turns))
    plain = [{"role": message.role, "content": message.content} for message in messages]
    with listening(Endpoint(Rendering(tokenizer), ("champion",))) as url:
        parity = check_parity(url, "champion", [Exchange(plain, ids, "")])
    assert parity.holds, parity.first_difference


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("a@champion", ("a", "3", "champion")),
        ("challenger", ("b", "2", "challenger")),
        ("b/7", ("b", "7", "")),
    ],
)
def test_a_model_is_found_by_alias_or_version(wanted, found):
    assert resolve(wanted, {"a": {"champion": "3"}, "b": {"champion": "1", "challenger": "2"}}) == found


def test_an_alias_that_two_models_have_or_none_is_refused_with_what_there_is():
    there = {"a": {"champion": "3"}, "b": {"champion": "1"}}
    with pytest.raises(BadInput, match="2 registered models are 'champion'; expected one of a@champion, b@champion"):
        resolve("champion", there)
    with pytest.raises(BadInput, match="no registered model is 'c@champion'"):
        resolve("c@champion", there)
    with pytest.raises(BadInput, match="the registry is empty"):
        resolve("champion", {})


def test_a_fetch_that_was_cut_off_leaves_nothing_to_serve(tmp_path, monkeypatch):
    def cut_off(uri, scratch):
        (scratch / "model").mkdir()
        (scratch / "model" / "config.json").write_text("{}")
        raise RemoteTrouble("gone")

    monkeypatch.setattr(find, "_download", cut_off)
    with pytest.raises(RemoteTrouble):
        fetch(Registered("a", "1", "champion", "ab" * 32), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "body", [[], {"tools": [1]}, {"n": 2}, {"temperature": 3}, {"messages": [{"role": "user", "content": [{}]}]}]
)
def test_a_request_is_read_strictly(body):
    whole = {"model": "m", "messages": HI} | body if isinstance(body, dict) else body
    with pytest.raises(Refused):
        read_request(whole)
    sampling = read_request({"model": "m", "messages": HI, "max_completion_tokens": 7, "temperature": None}).sampling
    assert (sampling.max_tokens, sampling.temperature) == (7, 0.0)
