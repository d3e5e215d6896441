"""Whom a question goes to: the share of each model, the order of fallbacks, and each server's key."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from contract.config.llm import API_KEY, KEY_SERVERS, Endpoint, LlmConfig, origin
from contract.failures import BadConfig
from contract.keys import digest
from contract.records import Message
from generate.llm.question import OPENAI, Question, server_name

NO_KEY = "none-needed"


@dataclass(frozen=True)
class ApiKey:
    """A server's key and the variable that it came from; `held` says that there is one, but not for this server."""

    name: str
    value: str
    held: bool = False

    @property
    def hint(self) -> str:
        """What to do where the server refuses it."""
        if self.held:
            return f"name the server in the recipe's file or in {KEY_SERVERS}, and {self.name} is sent to it"
        return f"set {self.name} to a key of this server"


def own_endpoint(config: LlmConfig, messages: tuple[Message, ...]) -> Endpoint:
    """The stage's own model for a conversation: one of `endpoints` by hash and weight, or the only one.

    Drawn from what the conversation opens with, up to the user's first message, so that it stays with one model. The
    draw is by weighted rendezvous (Highest Random Weight): another model more or less moves no row between the others.
    """
    if not config.endpoints:
        return config.endpoint
    first = next((n for n, message in enumerate(messages) if message.role == "user"), len(messages) - 1)
    opening = digest([[message.role, message.content] for message in messages[: first + 1]] + [config.seed])

    def luck(number: int) -> float:
        one = config.endpoints[number]
        name = f"{opening}:{server_name(one.base_url)}:{one.model}"
        point = (int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") + 0.5) / 2**64
        return float(point ** (1 / one.weight))

    return config.endpoints[max(range(len(config.endpoints)), key=luck)]


def used_endpoints(config: LlmConfig, further: Iterable[Endpoint]) -> list[Endpoint]:
    """Every model that a stage may ask: its own, those that share its rows, further ones, and fallbacks."""
    shared = [config.endpoint] if not config.endpoints else list(config.endpoints)
    others = [one for one in further if one != config.endpoint]
    return [*shared, *others, *config.fallbacks]


def next_questions(config: LlmConfig, question: Question) -> list[Question]:
    """The same question to each fallback, in order."""
    stand_ins = config.stand_ins(question.model)
    others = [replace(question, server=server_name(one.base_url), model=one.model) for one in stand_ins]
    return [other for other in others if (other.server, other.model) != (question.server, question.model)]


def api_keys(endpoints: Iterable[Endpoint], stage: str) -> dict[str, ApiKey]:
    """The key of each server, from the environment; a server of one's own may need none, and one that neither the
    deployment nor the recipe's file names gets none.

    Raises `BadConfig` where one that is needed is not set or may not be sent, or one server is given two.
    """
    keys: dict[str, ApiKey] = {}
    for one in endpoints:
        server, name = server_name(one.base_url), one.key or API_KEY
        value = os.environ.get(name, "").strip()
        if not value and (one.key or server == OPENAI):
            raise BadConfig(
                f"{name} is not set",
                expected=f"a key for {server} in the environment",
                where=stage,
                hint="set it, or name another server with `base_url`, or use `provider: extractive`",
            )
        held = bool(value) and not _may_have_keys(server)
        if held and one.key:
            raise BadConfig(
                f"{name} is not sent to {server}",
                expected=f"a server that the recipe's file or {KEY_SERVERS} names",
                where=stage,
                hint="name it there, or leave out `key` if the server needs none",
            )
        key = keys.setdefault(server, ApiKey(name, NO_KEY if held else value or NO_KEY, held))
        if key.name != name:
            raise BadConfig(f"{server} is given two keys, {key.name} and {name}", where=stage)
    return keys


def _may_have_keys(server: str) -> bool:
    """Whether a server may be sent a key. On the command line, where nobody says otherwise, the person who has the keys
    names the servers too."""
    told = os.environ.get(KEY_SERVERS)
    return told is None or origin(server) in map(origin, (OPENAI, server_name(None), *told.split()))
