"""Asking on behalf of one row: every question answered as an object of some shape, every request remembered."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import BaseModel

from contract.config.llm import Endpoint
from contract.records import Message
from generate.llm.answer import Ended
from generate.llm.exchange import Exchange
from generate.llm.question import Question
from generate.llm.session import Session
from generate.llm.structured import ask_for, strict_schema

S = TypeVar("S", bound=BaseModel)
SEEDS = 2**31


@dataclass
class Asker:
    """Asks for one row. `order` decides who goes first when slots are short; `reask` words what was wrong."""

    session: Session
    order: int
    reask: Callable[[str], str]
    exchanges: list[Exchange] = field(default_factory=list)

    async def __call__(
        self, messages: tuple[Message, ...], shape: type[S], endpoint: Endpoint | None = None, salt: int = 0
    ) -> S | None:
        """The object that a model answers with, or None: `last` says why. Another `salt` is another draw of the model
        at the same question."""

        def make(said: tuple[Message, ...]) -> Question:
            return drawn_again(self.session.question(said, strict_schema(shape), endpoint), salt)

        async def ask(question: Question) -> Ended:
            return await self.session.ask(question, self.order)

        reply = await ask_for(ask, make, messages, shape, self.session.config.reasks, self.reask)
        self.exchanges += reply.exchanges
        return reply.value

    @property
    def last(self) -> Exchange:
        """The request that decided what the last call returned."""
        return self.exchanges[-1]


def drawn_again(question: Question, salt: int) -> Question:
    """The same question with another seed."""
    return replace(question, seed=(question.seed + salt) % SEEDS)
