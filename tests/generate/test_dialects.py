"""What a server can do is found out once and remembered: across requests, runs and recipes; and a real one of PyPI."""

import asyncio
import socket
import subprocess
import time
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from conftest import ROOT
from contract.manifest import parse_manifest
from contract.uris import parse_uri
from generate.llm.ways import DAYS, Way, Ways
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import Instruct
from stagekit.store import open_store

FINETUNE = ROOT / ".venv/finetune/bin/python"
SITE = next(ROOT.glob(".venv/generate/lib/python3*/site-packages"), None)


@pytest.fixture
def forty(instruct, tmp_path) -> Instruct:
    """The stage on forty chunks."""
    return instruct.on(write_chunks(tmp_path, synthetic_chunks(10, 4), "forty"))


@pytest.mark.parametrize(
    ("formats", "way", "refused"),
    [(("json_schema", "json_object"), "json_schema", 0), (("json_object",), "json_object", 1), ((), "text", 2)],
)
def test_one_request_finds_out_for_all_and_for_every_later_run(forty, llm, monkeypatch, formats, way, refused):
    monkeypatch.setattr("generate.llm.ways.FIRST_SECONDS", 10)
    llm.behave(formats=formats)
    made = forty(concurrency=16)
    assert made.manifest.metrics["answer_format"] == way
    assert sum(request.outcome == "format" for request in llm.forget()) == refused
    assert made.manifest.accounts["chunks"].kept == 40
    another = forty("another", concurrency=16, seed=3)
    assert another.manifest.metrics["answer_format"] == way
    assert [request.outcome for request in llm.seen] == ["good"] * 40, "remembered: nothing is refused any more"


def test_a_server_that_learns_is_asked_the_better_way_again(tmp_path, monkeypatch):
    store = open_store(parse_uri(str(tmp_path)))
    Ways("http://a/v1", store).learn("m", Way(2))
    assert Ways("http://a/v1", store).of("m") == Way(2)
    assert Ways("http://a/v1", store).of("n") == Ways("http://b/v1", store).of("m") == Way(0)
    monkeypatch.setattr("generate.llm.ways.DAYS", -1)
    Ways("http://a/v1", store).learn("m", Way(1))
    assert Ways("http://a/v1", store).of("m") == Way(0)
    assert DAYS > 0


def test_what_is_remembered_and_cannot_be_read_counts_as_nothing(tmp_path):
    store = open_store(parse_uri(str(tmp_path)))
    Ways("http://a/v1", store).learn("m", Way(2))
    (name,) = [entry.name for entry in store.list()]
    for damaged in (b"", b"{", b'{"until": "soon"}', b'{"until": "2999-01-01T00:00:00+00:00", "way": {"level": 9}}'):
        store.write(name, damaged)
        assert Ways("http://a/v1", store).of("m") == Way(0)


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("response_format json_schema is not supported", Way(1)),
        ("use 'max_completion_tokens' instead", Way(0, "max_completion_tokens")),
        ("Unsupported value: 'temperature' does not support 0.7 with this model", Way(left_out=("temperature",))),
        ('[{"loc":["body","seed"],"msg":"Extra inputs are not permitted"}]', Way(left_out=("seed",))),
        ("seeds of doubt", Way(1)),
    ],
)
def test_a_refusal_says_how_to_ask_next(said, after):
    assert Way().after(said) == after


def test_refusals_come_to_an_end():
    way, ways = Way(), []
    while way := way.after("neither seed nor temperature, but max_completion_tokens"):
        ways.append(way)
    assert len(ways) == 5


def test_a_model_that_takes_no_temperature_is_asked_without(forty, llm, monkeypatch):
    monkeypatch.setattr("generate.llm.ways.FIRST_SECONDS", 10)
    llm.behave(refused_fields=("temperature", "seed"))
    made = forty(concurrency=4)
    assert made.manifest.accounts["chunks"].kept == 40
    assert made.manifest.metrics["not_sent"] == "seed, temperature"
    assert sum(request.outcome == "field" for request in llm.seen) == 2


def test_the_first_request_goes_ahead_alone_only_for_a_moment(tmp_path):
    async def scenario():
        ways = Ways("http://a/v1", open_store(parse_uri(str(tmp_path))))
        started = time.monotonic()
        await ways.wait("m")
        first = time.monotonic() - started
        await asyncio.gather(*(ways.wait("m") for _ in range(50)))
        others = time.monotonic() - started
        ways.learn("m", Way())
        await ways.wait("m")
        return first, others

    first, others = asyncio.run(scenario())
    assert first < others < 5


@pytest.mark.slow
@pytest.mark.skipif(not FINETUNE.exists() or SITE is None, reason="the server runs in .venv/finetune")
def test_a_real_server_with_a_random_model_is_accounted_to_the_last_token(run_stage, tmp_path):
    """`transformers serve` takes a JSON schema and does not heed it, and a random model writes no JSON: every request
    must end in the books as malformed, and be asked again with the error."""
    model, port = tmp_path / "model", _free_port()
    subprocess.run([FINETUNE, "-c", MODEL, str(model)], check=True, capture_output=True)
    command = [FINETUNE, "-c", SERVE, str(SITE), "serve", str(model), "--port", str(port), "--device", "cpu"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", server)
            chunks = write_chunks(tmp_path, synthetic_chunks(1, 2))
            config = {"provider": "openai", "base_url": f"http://127.0.0.1:{port}/v1", "model": str(model)}
            made = Instruct(run_stage, chunks)(
                **config, max_tokens=16, reasks=1, pairs=1, price={"prompt": 1, "completion": 1}
            )
        finally:
            server.terminate()
    assert made.ended.exit_code == 12, "nothing is left"
    (path,) = (tmp_path / "made").glob("*/manifest.json")
    manifest = parse_manifest(path.read_bytes(), str(path))
    assert manifest.accounts["requests"].dropped == {"malformed": 4}
    assert manifest.metrics["answer_format"] == "json_schema"
    assert manifest.cost.requests == 4
    assert 4 <= manifest.cost.completion_tokens <= 4 * 16
    assert manifest.cost.prompt_tokens > 4 * 1_000, "a token per byte, of chunks of 1,000 to 2,000 characters"
    assert manifest.cost.money == pytest.approx((manifest.cost.prompt_tokens + manifest.cost.completion_tokens) / 1e6)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait_for(url: str, server: subprocess.Popen, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while True:
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < until, "the server does not start"
        try:
            urlopen(url, timeout=2).close()
            return
        except (URLError, OSError):
            time.sleep(0.2)


MODEL = """
import sys
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

letters = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
tokenizer = Tokenizer(models.BPE(vocab={letter: n for n, letter in enumerate(letters)}, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>")
fast.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\\n{% endfor %}assistant: "
fast.save_pretrained(sys.argv[1])
sizes = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)
config = LlamaConfig(
    vocab_size=len(fast), max_position_embeddings=8192, bos_token_id=0, eos_token_id=1, pad_token_id=1, **sizes
)
LlamaForCausalLM(config).save_pretrained(sys.argv[1])
"""
SERVE = """
import os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.append(sys.argv.pop(1))  # the server wants the openai package, which lives with the stages that use it
from transformers.cli.transformers import main
main()
"""
