"""Every field of the configuration, changed from its default, changes something that can be seen."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from contract.config.instruct import InstructConfig
from contract.failures import Failure
from contract.stages import BY_NAME
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import PRICE
from llm_server import Behaviour, LlmServer
from stagekit.request import build_request
from stagekit.run import run_stage


@dataclass(frozen=True)
class Case:
    """A field's new value, what must be seen to change, and the circumstances in which it shows."""

    value: Any
    seen_in: str
    behaviour: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


SLOW, DOWN, LIMITED = {"latency": 0.3}, {"status": 503}, {"rate_limited": 0.4, "retry_after": ("0.4",)}
BROKEN = {"server_error": 0.5}
CASES = {
    "shard_rows": Case(7, "shards"),
    "provider": Case("extractive", "requests"),
    "model": Case("other", "bodies"),
    "base_url": Case("http://127.0.0.1:9/v1", "failure", config={"attempts": 1}),
    "pairs": Case(2, "rows"),
    "prompt": Case("none-such", "failure"),
    "mode": Case("rephrase", "bodies"),
    "language": Case("pl", "bodies"),
    "style_passages": Case(1, "bodies", config={"mode": "style"}),
    "min_grounding": Case(1.0, "rows"),
    "self_instruct": Case({"seeds": {"uri": "none-such.jsonl"}, "topics": ["clocks"]}, "failure"),
    "temperature": Case(0.1, "bodies"),
    "max_tokens": Case(77, "bodies"),
    "seed": Case(5, "bodies"),
    "attempts": Case(1, "failure", BROKEN),
    "reasks": Case(0, "rows", {"malformed": 0.5}),
    "max_failed": Case(1, "failure", BROKEN, {"attempts": 1}),
    "on_budget": Case("fail", "failure", config={"budget": {"requests": 1}}),
    "budget": Case({"requests": 1}, "requests"),
    "price": Case(PRICE, "money"),
    "concurrency": Case(1, "at_once", {"latency": 0.05}),
    "timeout": Case(0.05, "failure", SLOW, {"attempts": 1}),
    "backoff": Case(0.6, "waits", BROKEN, {"attempts": 20}),
    "patience": Case(0.2, "failure", LIMITED),
}


def test_every_field_has_a_case():
    assert CASES.keys() == InstructConfig.model_fields.keys()


@pytest.fixture(scope="module")
def chunks(tmp_path_factory):
    return write_chunks(tmp_path_factory.mktemp("chunks"), synthetic_chunks(2, 3))


@pytest.mark.parametrize("name", CASES)
def test_a_changed_field_changes_what_is_seen(name, chunks, tmp_path, monkeypatch):
    monkeypatch.setenv("NOCTURNE_STORE", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    case = CASES[name]
    with LlmServer(Behaviour(**case.behaviour), seed=3) as server:
        base = {"provider": "openai", "base_url": server.url, "backoff": 0.01} | case.config
        before = _observe(base, chunks, server, tmp_path / "before", monkeypatch)
        after = _observe(base | {name: case.value}, chunks, server, tmp_path / "after", monkeypatch)
    assert before[case.seen_in] != after[case.seen_in], before[case.seen_in]


def _waits(server) -> list[float]:
    """Seconds between each try and the next one of the same question."""
    at = {(request.question, request.order): request.at for request in server.seen}
    return [at[question, order + 1] - then for (question, order), then in at.items() if (question, order + 1) in at]


def _observe(config, chunks, server, folder, monkeypatch) -> dict[str, Any]:
    monkeypatch.setenv("NOCTURNE_CACHE", str(folder / "cache"))
    server.forget()
    server.most_under_way = 0
    server._arrivals.clear()
    manifest, failure = None, None
    try:
        request = build_request(BY_NAME["instruct"], json.dumps(config), [f"chunks={chunks}"], f"{folder}/")
        manifest = run_stage(request)
    except Failure as found:
        failure = type(found).__name__
    return {
        "bodies": sorted(json.dumps(request.body) for request in server.seen),
        "requests": len(server.seen),
        "at_once": server.most_under_way,
        "waits": all(wait >= 0.3 for wait in _waits(server)),
        "failure": failure,
        "rows": manifest and manifest.rows_out,
        "shards": manifest and len(manifest.shards),
        "money": manifest and manifest.cost and manifest.cost.money,
    }
