"""A server that answers, and never what it was asked for: the circuit breaker for what costs money and brings nothing.

A single answer of the wrong shape is the model's, which is asked again and in the end booked as malformed. Hundreds in
a row are the server's: another model behind the name, a lost JSON mode, a proxy's page. They are forgotten, so that a
later run asks anew what it would otherwise remember as hopeless.
"""

from collections.abc import Iterator
from typing import Any

from generate.llm.answer import Answer
from generate.llm.jsontext import parse, salvage
from generate.llm.question import Question
from generate.llm.refusals import refusal_of

WRONG_IN_A_ROW = 200
"""A model of whose answers nine in ten are wrong, and which is of some use yet, gets there once in a billion times."""
SHOWN_CHARACTERS = 80


class Streak:
    """What one server answered since its last answer of the shape that was asked for."""

    def __init__(self) -> None:
        self._wrong: list[Question] = []
        self._broken = False
        self._cut = 0
        self._last = ""

    def add(self, question: Question, answer: Answer) -> list[Question]:
        """Count an answer. Returns the questions whose answers are to be forgotten, once there are too many, and then
        each further one. A refusal says nothing about the server."""
        if refusal_of(answer):
            return []
        if fits(question.schema, answer.text):
            self._wrong, self._cut = [], 0
            return []
        self._wrong.append(question)
        self._cut += answer.finish_reason == "length"
        self._last = " ".join(answer.text.split())[:SHOWN_CHARACTERS]
        self._broken = self._broken or len(self._wrong) >= WRONG_IN_A_ROW
        if not self._broken:
            return []
        wrong, self._wrong = self._wrong, []
        return wrong

    @property
    def why(self) -> str:
        """What is wrong, and what may be the reason."""
        found = f"answered {WRONG_IN_A_ROW} requests in a row with something else than was asked for ({self._last!r})"
        return f"{found}; {self._cut} were cut off at `max_tokens`" if self._cut else found


def fits(schema: dict[str, Any], text: str) -> bool:
    """Whether a text holds what a JSON schema asks for, by its keys: the whole, or some of the objects inside it."""
    try:
        value = parse(text)
    except ValueError:
        value = None
    if isinstance(value, dict) and all(key in value for key in schema.get("required", ())):
        return True
    return any(shape and salvage(text, shape) for shape in _shapes(schema))


def _shapes(node: Any) -> Iterator[frozenset[str]]:
    """The keys that each object of a schema must have."""
    if isinstance(node, dict):
        if "properties" in node:
            yield frozenset(node.get("required", ()))
        node = list(node.values())
    for item in node if isinstance(node, list) else ():
        yield from _shapes(item)
