"""How each model at each server wants to be asked: found out once, kept beside the answers for all runs."""

import asyncio
import re
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from contract.keys import digest
from generate.llm.question import Question
from stagekit.store import Store

FORMATS = ("json_schema", "json_object", "text")
"""Ways to get JSON, best first: a JSON schema, JSON mode, plain text that is parsed and repaired."""
OPTIONAL = ("seed", "temperature")
"""What some servers do not know and some models do not take; they say so by name."""
DAYS = 30
"""How long it is remembered: servers learn, too."""
FIRST_SECONDS = 0.05
"""How long others wait for the first request's refusal; servers refuse before they think."""


@dataclass(frozen=True)
class Way:
    """A manner of asking: place in `FORMATS`, name of the limit on tokens, fields that are not sent."""

    level: int = 0
    limit: str = "max_tokens"
    left_out: tuple[str, ...] = ()

    def body(self, question: Question) -> dict[str, Any]:
        """The request's body."""
        body: dict[str, Any] = {
            "model": question.model,
            "messages": question.wire_messages,
            "temperature": question.temperature,
            "seed": question.seed,
            self.limit: question.max_tokens,
        }
        for name in self.left_out:
            del body[name]
        if FORMATS[self.level] == "json_schema":
            schema = {"name": "answer", "strict": True, "schema": question.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif FORMATS[self.level] == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body

    def after(self, refusal: str) -> "Way | None":
        """How to ask after a refusal in these words; None where no other way is left.

        Newer OpenAI models want `max_completion_tokens` and say so; any other refusal may be of the format.
        """
        if self.limit == "max_tokens" and "max_completion_tokens" in refusal:
            return replace(self, limit="max_completion_tokens")
        for name in OPTIONAL:
            if name not in self.left_out and re.search(rf"\b{name}\b", refusal):
                return replace(self, left_out=(*self.left_out, name))
        return replace(self, level=self.level + 1) if self.level + 1 < len(FORMATS) else None


class Ways:
    """The way of each model at one server, by what was answered so far, in this run or an earlier one."""

    def __init__(self, server: str, store: Store) -> None:
        self.server, self._store = server, store
        self._ways: dict[str, Way] = {}
        self._known: set[str] = set()
        self._gates: dict[str, asyncio.Event] = {}

    def of(self, model: str) -> Way:
        """How to ask a model, as far as is known; else the best way."""
        if model not in self._ways:
            remembered = self._read(model)
            self._ways[model] = remembered or Way()
            if remembered:
                self._know(model)
        return self._ways[model]

    def learn(self, model: str, way: Way) -> None:
        """Remember a way that was answered."""
        if model not in self._known or way != self._ways[model]:
            self._know(model)
            self._ways[model] = way
            until = (datetime.now(UTC) + timedelta(days=DAYS)).isoformat(timespec="seconds")
            self._store.write(self._name(model), orjson.dumps({"until": until, "way": asdict(way)}))

    async def wait(self, model: str) -> None:
        """Let the first request to a model of which nothing is known go ahead: it is refused instead of hundreds.

        Gives up after a moment: a server that does not refuse is busy with the answer.
        """
        self.of(model)
        if model in self._known:
            return
        if gate := self._gates.get(model):
            await gate.wait()
        else:  # this is the first
            self._gates[model] = asyncio.Event()
            asyncio.get_running_loop().call_later(FIRST_SECONDS, self._gates[model].set)

    @property
    def plainest(self) -> int:
        """The least good format in use."""
        return max((way.level for way in self._ways.values()), default=0)

    @property
    def left_out(self) -> set[str]:
        """Fields that some model was not sent."""
        return {name for way in self._ways.values() for name in way.left_out}

    def _know(self, model: str) -> None:
        self._known.add(model)
        if gate := self._gates.get(model):
            gate.set()

    def _read(self, model: str) -> Way | None:
        """What is remembered; anything that cannot be read counts as nothing."""
        try:
            value = orjson.loads(self._store.read(self._name(model)) or b"")
            if datetime.fromisoformat(value["until"]) < datetime.now(UTC):
                return None
            way = Way(value["way"]["level"], value["way"]["limit"], tuple(value["way"]["left_out"]))
        except (ValueError, KeyError, TypeError):
            return None
        return way if way.level in range(len(FORMATS)) else None

    def _name(self, model: str) -> str:
        return f"{digest([self.server, model])}.json"
