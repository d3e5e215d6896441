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
ALONE = {"attempts": 1, "max_failed": 1.0, "concurrency": 1}
"""Three failures in a row end a run: the order is fixed here, and has none."""
MODEL = "gpt-4o-mini"
"""The one that all stages ask by default, at two servers that share the rows and where one stands in for the other: a
judge takes no other."""
FAR = {"model": MODEL, "base_url": "second", "weight": 0.01}
NEAR = {"endpoints": [{"model": MODEL, "base_url": "first", "weight": 1_000}, FAR]}
"""Two that share the rows, of which the first gets all but one in a hundred thousand."""
FEW = {"endpoints": [NEAR["endpoints"][0] | {"weight": 0.0001}, FAR]}
PRICED = {"endpoints": [{"model": MODEL, "base_url": "first", "price": PRICE}]}
STAND_IN = {"fallbacks": [{"model": MODEL, "base_url": "second"}], "attempts": 1, "key": "OTHER_API_KEY"}
STAND_IN_PRICED = STAND_IN | {"price": PRICE, "fallbacks": [STAND_IN["fallbacks"][0] | {"price": PRICE}]}
ONLY_ONE = {"key": "sk-one"}
"""Servers that take no other key: the first endpoint's key is wrong there, and its fallback's is right."""
BATCH = {"transport": "batch", "batch_poll": 0.01}


def shared_cases(
    requests: int,
    another: str = "saw model another",
    trouble: float = 0.3,
    money: float = 3.0,
    tokens: int = 3_000,
) -> list[tuple[Case, Faults]]:
    """The fields that all stages have.

    `requests` is how many logical requests the unchanged stage sends, `another` what shows of another model among
    `endpoints` or `fallbacks`, `trouble` the share of requests that go wrong so that some do and not all, `money` and
    `tokens` limits that the requests reach.
    """
    return [*_asking(requests, trouble), *_limits(money, tokens), *_batches(), *_several(another)]


def _asking(requests: int, trouble: float) -> list[tuple[Case, Faults]]:
    return [
        (Case("model", "other-model", "server first saw model other-model"), {}),
        (Case("base_url", "second", "server second saw"), {}),
        (Case("key", "OTHER_API_KEY", "saw key sk-two"), {}),
        (Case("temperature", 1.5, "saw temperature 1.5"), {}),
        (Case("max_tokens", 700, "saw max_tokens 700"), {}),
        (Case("seed", 7, "saw seed 7"), {}),
        (Case("attempts", 9, '"rule": "server_error"', ALONE), {"server_error": trouble}),
        (Case("reasks", 0, f'account requests {{"total":{requests}', {"reasks": 2}), {"malformed": 1.0}),
        (Case("max_failed", 0.0, "failure RemoteTrouble", ALONE), {"cut_off": trouble}),
        (Case("on_budget", "fail", "failure BudgetReached", {"budget": {"requests": 2}}), {}),
        (Case("concurrency", 1, "server first had 1 at once", {"concurrency": 4}), {"latency": 0.1}),
        (Case("timeout", 0.1, "failure RemoteTrouble", {"attempts": 1}), {"latency": 0.6}),
        (Case("backoff", 60, "another wait", {"attempts": 2, "backoff": 0.01, "patience": 20}), DOWN),
        (Case("patience", 0.001, "another wait", {"attempts": 2, "patience": 20}), DOWN),
    ]


def _limits(money: float, tokens: int) -> list[tuple[Case, Faults]]:
    return [
        (Case("price.prompt", 2_000, "figure money", {"price": PRICE}), {}),
        (Case("price.completion", 2_000, "figure money", {"price": PRICE}), {}),
        *(
            case
            for whose in ("budget", "limits")
            for case in (
                (Case(f"{whose}.money", money, '"rule": "budget"', {"price": PRICE}), {}),
                (Case(f"{whose}.tokens", tokens, '"rule": "budget"'), {}),
                (Case(f"{whose}.requests", 2, '"rule": "budget"'), {}),
            )
        ),
    ]


def _batches() -> list[tuple[Case, Faults]]:
    often = BATCH | {"batch_lines": 100}
    return [
        (Case("transport", "batch", "server first had batches", {"batch_poll": 0.01}), {}),
        (Case("batch_lines", 1, "server first had batches of 1 line", BATCH), {}),
        (Case("batch_poll", 1.0, "server first was looked at once for each batch", often), {}),
    ]


def _several(another: str) -> list[tuple[Case, Faults]]:
    return [
        (Case("endpoints.model", "another", another, NEAR), {}),
        (Case("endpoints.base_url", "second", "server second saw", NEAR), {}),
        (Case("endpoints.key", "OTHER_API_KEY", "saw key sk-two", PRICED), {}),
        (Case("endpoints.price.prompt", 2_000, "figure money", PRICED), {}),
        (Case("endpoints.price.completion", 2_000, "figure money", PRICED), {}),
        (Case("endpoints.weight", 1_000, "server second saw", FEW), {}),
        (Case("fallbacks.model", "another", another, STAND_IN), ONLY_ONE),
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
