"""One request to a language model, and the key under which its answer is kept."""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from contract.config.llm import Endpoint, LlmConfig
from contract.keys import canonical_json
from contract.records import Message
from generate.canonical import plain_json

OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Question:
    """Everything that determines an answer, and nothing else.

    `server` counts, since a model's name says nothing without who serves it: `llama3` is 4 bits wide on one machine and
    16 on the next. How the server is made to answer in JSON does not count: it follows from server and `schema`.
    """

    server: str
    model: str
    messages: tuple[Message, ...]
    temperature: float
    max_tokens: int
    seed: int
    schema: dict[str, Any]

    @property
    def identity(self) -> dict[str, Any]:
        """The question as plain JSON values."""
        return {
            "server": self.server,
            "model": self.model,
            "messages": self.wire_messages,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
            "schema": self.schema,
        }

    @cached_property
    def key(self) -> str:
        """SHA-256 of the question."""
        # the canonical JSON of `identity`, put together from parts: messages are long, and hashed alone as well
        schema = _Same(self.schema)
        before, after = _frame(self.server, self.model, self.temperature, self.max_tokens, self.seed, schema)
        return hashlib.sha256(before + self._said + after).hexdigest()

    @cached_property
    def prompt_hash(self) -> str:
        """SHA-256 of the messages alone, which stays when a server moves."""
        return hashlib.sha256(self._said).hexdigest()

    @cached_property
    def _said(self) -> bytes:
        return plain_json(self.wire_messages)

    @property
    def wire_messages(self) -> list[dict[str, str]]:
        """The messages as the protocol wants them."""
        return [{"role": message.role, "content": message.content} for message in self.messages]


class _Same:
    """A value by its identity, kept alive so that no other gets it."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


@lru_cache(maxsize=64, typed=True)  # 1 and 1.0 are spelled differently
def _frame(
    server: str, model: str, temperature: float, max_tokens: int, seed: int, schema: _Same
) -> tuple[bytes, bytes]:
    """What stands before and after the messages in the canonical JSON of a stage's questions."""
    rest = {"server": server, "model": model, "temperature": temperature, "seed": seed, "schema": schema.value}
    before, after = canonical_json({"max_tokens": max_tokens}), canonical_json(rest)
    return f'{before[:-1]},"messages":'.encode(), f",{after[1:]}".encode("utf-8", "surrogatepass")


def asked(config: LlmConfig, endpoint: Endpoint, messages: tuple[Message, ...], schema: dict[str, Any]) -> Question:
    """The question that a stage asks a model with its settings."""
    return Question(
        server=server_name(endpoint.base_url),
        model=endpoint.model,
        messages=messages,
        temperature=config.temperature,
        max_tokens=config.max_tokens,
        seed=config.seed,
        schema=schema,
    )


def server_name(base_url: str | None) -> str:
    """One spelling of a server's address: lower-case scheme and host, no slash at the end.

    Where none is given it is the one in `OPENAI_BASE_URL`, as for the openai client, else OpenAI's own.
    """
    scheme, _, rest = (base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"
