"""The JSON objects that models answer with, each field in the order in which it is to be thought of."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """Base: types are taken as they stand, and keys that nobody asked for are ignored."""

    model_config = ConfigDict(frozen=True, strict=True)


class Evolved(Shape):
    """A rewritten instruction."""

    instruction: str


class AutoEvolved(Shape):
    """The same by Auto Evol-Instruct: ways, plan, first version and review come before the final instruction."""

    methods: list[str]
    plan: str
    rewritten: str
    review: str
    instruction: str


class Gain(Shape):
    """Whether two instructions ask for the same."""

    reason: str
    same: bool


class Answered(Shape):
    """An answer to an instruction."""

    answer: str


class Feedback(Shape):
    """What is wrong with a method."""

    feedback: str


class Mended(Shape):
    """A better method."""

    method: str
