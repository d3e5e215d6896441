"""One request to a language model, and the key under which its answer is kept."""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contract.config.llm import Endpoint, LlmConfig
from contract.keys import canonical_json
from contract.records import Message

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
        rest = self.identity
        del rest["messages"]
        before = canonical_json({"max_tokens": rest.pop("max_tokens")})
        text = f'{before[:-1]},"messages":{self._said},{canonical_json(rest)[1:]}'
        return _sha256(text)

    @cached_property
    def prompt_hash(self) -> str:
        """SHA-256 of the messages alone, which stays when a server moves."""
        return _sha256(self._said)

    @cached_property
    def _said(self) -> str:
        return canonical_json(self.wire_messages)

    @property
    def wire_messages(self) -> list[dict[str, str]]:
        """The messages as the protocol wants them."""
        return [{"role": message.role, "content": message.content} for message in self.messages]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


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
