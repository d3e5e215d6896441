"""The JSON objects that models answer with, each field in the order in which it is to be thought of."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from generate.llm.structured import SURROGATE


def _whole(text: str) -> str:
    if SURROGATE.search(text):
        raise ValueError("half a UTF-16 pair")
    return text


Text = Annotated[str, AfterValidator(_whole)]
"""Text that a file can hold: JSON can also spell half a UTF-16 pair."""


class Shape(BaseModel):
    """Base: types are taken as they stand, and keys that nobody asked for are ignored."""

    model_config = ConfigDict(frozen=True, strict=True)


class Evolved(Shape):
    """A rewritten instruction."""

    instruction: Text


class AutoEvolved(Shape):
    """The same by Auto Evol-Instruct: ways, plan, first version and review come before the final instruction."""

    methods: list[Text]
    plan: Text
    rewritten: Text
    review: Text
    instruction: Text


class Gain(Shape):
    """Whether two instructions ask for the same."""

    reason: Text
    same: bool


class Answered(Shape):
    """An answer to an instruction."""

    answer: Text


class Feedback(Shape):
    """What is wrong with a method."""

    feedback: Text


class Mended(Shape):
    """A better method."""

    method: Text
