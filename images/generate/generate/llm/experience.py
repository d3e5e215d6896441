"""What each model took for a prompt, in this run and in earlier ones; kept beside the answers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from contract.config.llm import Endpoint
from contract.keys import digest
from generate.llm.answer import Answer
from generate.llm.question import Question, server_name
from stagekit.store import Store

Name = tuple[str, str, str]
"""Server, model and kind of question."""
ENOUGH = 10_000
"""Answers after which old ones count half: models and prices change behind a name."""


@dataclass
class Planned:
    """Conversations and characters of their openings that one model will be asked at most."""

    requests: float = 0
    characters: float = 0


@dataclass
class Experience:
    """What some conversations took: their openings, with characters, and all requests that followed, with tokens.

    The last four are of runs that came to their end: conversations and characters that had been expected at most, and
    those that were opened. They differ where one question depends on the answer to another.
    """

    openings: int = 0
    characters: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    planned: int = 0
    planned_characters: int = 0
    opened: int = 0
    opened_characters: int = 0

    @property
    def conversations_opened(self) -> float:
        """How many conversations were opened for each that was expected at most."""
        return self.opened / self.planned if self.planned else 1.0

    @property
    def characters_asked(self) -> float:
        """The same for the characters of their openings."""
        return self.opened_characters / self.planned_characters if self.planned_characters else 1.0

    def add(self, question: Question, answer: Answer) -> None:
        """Count one answer; one that the server did not meter teaches nothing."""
        if not answer.metered:
            return
        if not any(message.role == "assistant" for message in question.messages):
            self.openings += 1
            self.characters += sum(len(message.content) for message in question.messages)
        self.requests += 1
        self.prompt_tokens += answer.prompt_tokens or 0
        self.completion_tokens += answer.completion_tokens or 0

    def __add__(self, other: "Experience") -> "Experience":
        share = 0.5 if self.requests > ENOUGH else 1.0
        return Experience(*(int(share * a) + b for a, b in zip(_sums(self), _sums(other), strict=True)))


def _sums(one: Experience) -> list[int]:
    return list(asdict(one).values())


def kind_of(schema: Mapping[str, Any]) -> str:
    """The kind of a question: what its answer is made of."""
    return ",".join(schema.get("properties", ()))


class Experiences:
    """What each model took for each kind of question of one prompt: kinds differ, and so does how often each comes."""

    def __init__(self, store: Store, prompt: str) -> None:
        self.store, self.prompt = store, prompt
        self._now: dict[Name, Experience] = {}

    def add(self, question: Question, answer: Answer) -> None:
        """Learn from an answer."""
        name = question.server, question.model, kind_of(question.schema)
        self._now.setdefault(name, Experience()).add(question, answer)

    def completed(self, planned: Mapping[Name, Planned]) -> None:
        """Learn from a run that came to its end what became of conversations and characters that were planned."""
        for name, new in self._now.items():
            there = planned.get(name, Planned())
            if round(there.requests):
                new.planned, new.planned_characters = round(there.requests), round(there.characters)
                new.opened, new.opened_characters = new.openings, new.characters

    def of(self, endpoint: Endpoint, kind: str) -> Experience:
        """What a model took in earlier runs."""
        return self._read(self._stored(server_name(endpoint.base_url), endpoint.model, kind))

    def save(self) -> None:
        """Keep what was learnt."""
        for named, new in self._now.items():
            if new.requests:
                name = self._stored(*named)
                self.store.write(name, orjson.dumps(asdict(self._read(name) + new)))
        self._now = {}

    def _read(self, name: str) -> Experience:
        try:
            return Experience(**orjson.loads(self.store.read(name) or b"{}"))
        except (ValueError, TypeError):
            return Experience()  # damaged: nothing is known

    def _stored(self, *name: str) -> str:
        return f"{digest([*name, self.prompt])}.json"
