"""One juror's verdict on one answer by one criterion: asked for, read, never made up."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

from contract.config.llm import Endpoint
from contract.manifest import Status
from contract.records import Message
from generate.judge.rubric import Score
from generate.llm.exchange import Exchange
from generate.llm.question import Question
from generate.llm.structured import Ask, Reply, S, ask_for, strict_schema

T = TypeVar("T")
Side = Literal["answer", "opponent", "tie"]
VALUE: dict[Side, float] = {"answer": 1.0, "opponent": 0.0, "tie": 0.5}
RULES = {
    "no_answer": "a sample without an answer",
    "no_reference": "a rubric that compares with a text, and no text",
    "no_opponent": "no answer to compare with",
    "same_answer": "the answer to compare with is the very same",
}
"""Why a verdict is not asked for."""


def _number(value: Any) -> Any:
    """Models that have no schema write digits as text; everything else is for the check that follows."""
    if isinstance(value, bool):
        raise ValueError("a truth value")
    return int(value) if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() else value


def _letter(value: Any) -> Any:
    return {"a": "A", "b": "B", "tie": "tie"}.get(value.strip().lower(), value) if isinstance(value, str) else value


class ScoredAnswer(BaseModel):
    """What an absolute judge writes."""

    feedback: str = Field(min_length=1)
    score: Annotated[Score, BeforeValidator(_number)]


class ComparedAnswers(BaseModel):
    """What a pairwise judge writes."""

    feedback: str = Field(min_length=1)
    better: Annotated[Literal["A", "B", "tie"], BeforeValidator(_letter)]


@dataclass(frozen=True)
class Verdict:
    """What came of one juror, one answer and one criterion. `value` is the score (1 to 4; pairwise 1, 0.5 or 0) or
    None; `sides` are the better answers in either order (pairwise); `rule` says why there is no value."""

    criterion: str
    juror: int
    value: float | None = None
    feedback: tuple[str, ...] = ()
    sides: tuple[Side, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    status: Status = "kept"
    rule: str = ""
    detail: str | None = None


@dataclass(frozen=True)
class Juror:
    """One model, and how to ask it."""

    number: int
    endpoint: Endpoint
    question: Callable[[tuple[Message, ...], dict[str, Any], Endpoint], Question]
    reasks: int
    reask: Callable[[str], str]

    async def score(self, ask: Ask, criterion: str, messages: tuple[Message, ...]) -> Verdict:
        """An absolute verdict."""
        reply = await self._ask(ask, messages, ScoredAnswer)
        if reply.value is None:
            return self._missing(criterion, reply, tuple(reply.exchanges))
        feedback = (reply.value.feedback,)
        return Verdict(criterion, self.number, float(reply.value.score), feedback, exchanges=tuple(reply.exchanges))

    async def compare(self, ask: Ask, criterion: str, messages: Callable[[bool], tuple[Message, ...]]) -> Verdict:
        """A pairwise verdict: both orders are asked, and both must come; where they disagree it is a tie."""
        replies = await together(self._ask(ask, messages(swapped), ComparedAnswers) for swapped in (False, True))
        exchanges = tuple(exchange for reply in replies for exchange in reply.exchanges)
        values = [reply.value for reply in replies if reply.value]
        if len(values) < len(replies):
            return self._missing(criterion, next(reply for reply in replies if reply.value is None), exchanges)
        sides = [side_of(value.better, swapped) for value, swapped in zip(values, (False, True), strict=True)]
        feedback = tuple(value.feedback for value in values)
        return Verdict(criterion, self.number, agreed(*sides), feedback, tuple(sides), exchanges=exchanges)

    def opening(self, messages: tuple[Message, ...], shape: type[BaseModel]) -> Question:
        """The question that asks for a verdict of one of the two shapes."""
        return self.question(messages, schema_of(shape), self.endpoint)

    async def _ask(self, ask: Ask, messages: tuple[Message, ...], shape: type[S]) -> Reply[S]:
        return await ask_for(ask, lambda text: self.opening(text, shape), messages, shape, self.reasks, self.reask)

    def _missing(self, criterion: str, reply: Reply[S], exchanges: tuple[Exchange, ...]) -> Verdict:
        last = reply.last
        return Verdict(
            criterion, self.number, exchanges=exchanges, status=last.status, rule=last.rule, detail=last.detail
        )


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What several calls return, in their order. The first failure ends them all."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@cache
def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a shape; made once, since pydantic takes longer for it than all the rest of a question."""
    return strict_schema(shape)


def side_of(better: str, swapped: bool) -> Side:
    """Whose answer a letter stands for, given the order in which they were shown."""
    if better == "tie":
        return "tie"
    return "answer" if (better == "A") != swapped else "opponent"


def agreed(one: Side, other: Side) -> float:
    """A pairwise score: 1 or 0 where both orders say so, else 0.5 (Zheng et al. 2023, arXiv 2306.05685)."""
    return VALUE[one] if one == other else VALUE["tie"]
