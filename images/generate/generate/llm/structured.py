"""Asking for one JSON object of a given shape: ask, check, ask again with the error."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from contract.records import Message
from generate.llm.answer import Answer, Ended
from generate.llm.exchange import Exchange
from generate.llm.jsontext import parse
from generate.llm.question import Question
from generate.llm.refusals import refusal_of

Ask = Callable[[Question], Awaitable[Ended]]
Make = Callable[[tuple[Message, ...]], Question]
S = TypeVar("S", bound=BaseModel)
QUOTED_CHARACTERS = 4_000
"""How much of a bad answer is sent back with the error: enough to see the mistake, not enough to pay twice for it."""
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass
class Reply(Generic[S]):
    """The object that came, or None, and every request that was needed."""

    value: S | None = None
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def last(self) -> Exchange:
        """The exchange that decided."""
        return self.exchanges[-1]


async def ask_for(
    ask: Ask, make: Make, messages: tuple[Message, ...], shape: type[S], reasks: int, reask: Callable[[str], str]
) -> Reply[S]:
    """Ask for one object of `shape`, and `reasks` times more while an answer is not one.

    `make` turns messages into a question; `reask` words the message that says what was wrong. A refusal is not asked
    again. An answer that does not hold becomes `None`, never a default.
    """
    reply: Reply[S] = Reply()
    for _ in range(1 + reasks):
        question = make(messages)
        ended = await ask(question)
        if ended.answer is None:
            reply.exchanges.append(Exchange(question, ended, ended.rule, ended.detail))
            break
        if refusal := refusal_of(ended.answer):
            reply.exchanges.append(Exchange(question, ended, "refusal", refusal))
            break
        try:
            reply.value = read_object(ended.answer, shape)
        except ValueError as problem:
            reply.exchanges.append(Exchange(question, ended, "malformed", str(problem)))
            messages = (*messages, *again(ended.answer, reask(str(problem))))
            continue
        reply.exchanges.append(Exchange(question, ended))
        break
    return reply


def again(answer: Answer, text: str) -> tuple[Message, Message]:
    """The bad answer and the message that asks again, to follow what was said so far."""
    said = Message(role="assistant", content=answer.text[:QUOTED_CHARACTERS] or "(nothing)")
    return said, Message(role="user", content=text)


def read_object(answer: Answer, shape: type[S]) -> S:
    """The object in an answer. Raises `ValueError` with a problem that a model can mend."""
    try:
        value = parse(answer.text)
    except ValueError as error:
        cut = "; the answer was cut off at the length limit" if answer.finish_reason == "length" else ""
        raise ValueError(f"it is not valid JSON ({error}){cut}") from None
    if SURROGATE.search(json.dumps(value, ensure_ascii=False)):  # JSON can spell what no file can hold
        raise ValueError("half a UTF-16 pair in the text")
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}") from None


@cache
def strict_schema(shape: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON schema as strict servers want it: no extra keys, everything required, no titles."""
    return _strict(shape.model_json_schema())  # type: ignore[no-any-return]


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _strict(value) for key, value in node.items() if key not in ("title", "description", "default")}
    if plain.get("type") == "object" and "properties" in plain:
        plain |= {"additionalProperties": False, "required": list(plain["properties"])}
    return plain
