"""Cases for the fields that every stage shares which asks a model, and the servers to try them on.

`base_url` is "first" or "second" in a case; the two servers behave alike, and what they saw is part of the result.
"""

from typing import Any

from every_field import Case, Seen
from llm_batches import BatchLlmServer

PRICE = {"prompt": 1_000.0, "completion": 1_000.0}
DOWN = {"server_error": 1.0}
"""A server that answers 5xx to everything."""
KEYS = {"OPENAI_API_KEY": "sk-one", "OTHER_API_KEY": "sk-two"}
"""What the environment holds."""

Faults = dict[str, Any]
TWO = {"model": "two", "base_url": "first", "weight": 0.01}
ONE = {"endpoints": [{"model": "one", "base_url": "first", "weight": 1_000}, TWO]}
"""Two that share the rows, of which the first gets all but one in a hundred thousand."""
FEW = {"endpoints": [ONE["endpoints"][0] | {"weight": 0.0001}, TWO]}
PRICED = {"endpoints": [{"model": "one", "base_url": "first", "price": PRICE}]}
STAND_IN = {"fallbacks": [{"model": "stand-in", "base_url": "second"}], "attempts": 1, "key": "OTHER_API_KEY"}
STAND_IN_PRICED = STAND_IN | {"price": PRICE, "fallbacks": [STAND_IN["fallbacks"][0] | {"price": PRICE}]}
ONLY_ONE = {"key": "sk-one"}
"""Servers that take no other key: the first endpoint's key is wrong there, and its fallback's is right."""

LIMITS: list[tuple[Case, Faults]] = [
    (Case("limits.money", 3.0, '"rule": "budget"', {"price": PRICE}), {}),
    (Case("limits.tokens", 3_000, '"rule": "budget"'), {}),
    (Case("limits.requests", 2, '"rule": "budget"'), {}),
]
BATCH = {"transport": "batch", "batch_poll": 0.01}
BATCHES: list[tuple[Case, Faults]] = [
    (Case("transport", "batch", "server first had batches", {"batch_poll": 0.01}), {}),
    (Case("batch_lines", 1, "server first had batches of 1 line", BATCH), {}),
    (Case("batch_poll", 1.0, "server first was looked at once for each batch", BATCH | {"batch_lines": 100}), {}),
]
SEVERAL: list[tuple[Case, Faults]] = [
    (Case("key", "OTHER_API_KEY", "saw key sk-two"), {}),
    (Case("endpoints.model", "other-model", "server first saw model other-model", ONE), {}),
    (Case("endpoints.base_url", "second", "server second saw", ONE), {}),
    (Case("endpoints.key", "OTHER_API_KEY", "saw key sk-two", PRICED), {}),
    (Case("endpoints.price.prompt", 2_000, "figure money", PRICED), {}),
    (Case("endpoints.price.completion", 2_000, "figure money", PRICED), {}),
    (Case("endpoints.weight", 1_000, "saw model two", FEW), {}),
    (Case("fallbacks.model", "another", "server second saw model another", STAND_IN), ONLY_ONE),
    (Case("fallbacks.base_url", "http://127.0.0.1:9/v1", "no connection", STAND_IN), ONLY_ONE),
    (Case("fallbacks.key", "OTHER_API_KEY", "refused the key", STAND_IN), ONLY_ONE),
    (Case("fallbacks.price.prompt", 2_000, "figure money", STAND_IN_PRICED), ONLY_ONE),
    (Case("fallbacks.price.completion", 2_000, "figure money", STAND_IN_PRICED), ONLY_ONE),
]


def addressed(value: Any, servers: dict[str, BatchLlmServer]) -> Any:
    """A config in which the names of servers are their addresses."""
    if isinstance(value, dict):
        return {
            key: servers[item].url if key == "base_url" and item in servers else addressed(item, servers)
            for key, item in value.items()
        }
    return [addressed(item, servers) for item in value] if isinstance(value, list) else value


def what_they_saw(result: Seen, servers: dict[str, BatchLlmServer]) -> Seen:
    """A result with what each server saw: every field of its requests, the keys, how many came at once."""
    return result.with_lines(line for name, server in servers.items() for line in _saw(name, server))


def _saw(name: str, server: BatchLlmServer) -> list[str]:
    asked = [f"{key} {value}" for request in server.seen for key, value in request.body.items() if key != "messages"]
    system = [f"message {message['content']}" for request in server.seen for message in request.body["messages"]]
    keys = [f"key {request.headers.get('authorization', '').removeprefix('Bearer ')}" for request in server.seen]
    seen = [f"server {name} saw {what}" for what in asked + system + keys]
    for batch in server.batches.values():
        lines = server.files[batch["input_file_id"]].count(b"\n") + 1
        seen.append(f"server {name} had batches of {lines} line{'s' * (lines > 1)}")
    looks = (
        "never" if not server.looks else "more often" if server.looks > len(server.batches) else "once for each batch"
    )
    seen.append(f"server {name} was looked at {looks}")
    return [*seen, f"server {name} had {server.most_under_way} at once"]
