"""Putting a model on the hub: what is there afterwards, that it is there once, and what a refusal says."""

import logging

import pytest
from huggingface_hub import HfApi
from pydantic import ValidationError

from contract.config.finetune import RegisterConfig
from contract.failures import BadConfig, RemoteTrouble
from finetune.register.hub import push_to_hub
from model_hub import ModelHub

LOG = logging.getLogger("nocturne")
HASH = "ab" * 32


@pytest.fixture
def model(tmp_path):
    """A folder as `export` writes it."""
    for name in ("config.json", "model.safetensors", "chat_template.jinja", "README.md", "parity.json"):
        (tmp_path / name).write_text(f"---\nlibrary_name: x\n---\n{name}")
    return tmp_path


@pytest.fixture
def hub(monkeypatch):
    with ModelHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", "hf_of_the_test")
        yield server


def test_the_model_is_there_privately_and_without_samples(hub, model):
    push_to_hub(model, "owner/name", True, HASH, LOG)
    place = hub.repositories["owner/name"]
    assert place["private"] is True
    assert place["files"] == {path.name: path.read_bytes() for path in model.iterdir() if path.name != "parity.json"}
    assert place["tags"] == {f"nocturne-{HASH[:12]}": place["commits"][0]}
    assert hub.tokens == {"Bearer hf_of_the_test"}


def test_pushed_again_it_is_left_alone_and_another_export_is_added(hub, model):
    for content in (HASH, HASH, "cd" * 32):
        push_to_hub(model, "owner/name", False, content, LOG)
        (model / "config.json").write_text("changed")
    place = hub.repositories["owner/name"]
    assert place["private"] is False
    assert len(place["tags"]) == len(place["commits"]) == 2
    assert [ref.name for ref in HfApi(endpoint=hub.url).list_repo_refs("owner/name").tags] == [*place["tags"]]


@pytest.mark.parametrize(("status", "failure"), [(401, BadConfig), (403, BadConfig), (503, RemoteTrouble)])
def test_a_refusal_is_told_from_an_outage(hub, model, status, failure, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    hub.status = status
    with pytest.raises(failure, match="the hub") as refused:
        push_to_hub(model, "owner/name", True, HASH, LOG)
    assert "hf_of_the_test" not in str(refused.value)


def test_without_a_token_or_a_server_it_says_so(hub, model, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(RemoteTrouble, match="the hub does not answer"):
        push_to_hub(model, "owner/name", True, HASH, LOG)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(BadConfig, match=r"HF_TOKEN is not.*a token that may write there"):
        push_to_hub(model, "owner/name", True, HASH, LOG)
    assert hub.asked == []


def test_a_repository_that_nothing_would_reach_is_refused():
    with pytest.raises(ValidationError, match="hub is 'a/b', but with champion `never`"):
        RegisterConfig(hub="a/b", champion="never")
    with pytest.raises(ValidationError):
        RegisterConfig(hub="https://somewhere/a/b")
