"""A model's answer: read from the wire, kept in the cache."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Answer(BaseModel):
    """A complete answer. Token counts are null where the server stated none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    refusal: str | None = None
    finish_reason: str | None = None
    model: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @property
    def metered(self) -> bool:
        """Whether the server said what the answer took."""
        return self.prompt_tokens is not None and self.completion_tokens is not None

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Ended:
    """How one logical request ended: answered, failed for good, or never sent for want of budget."""

    status: Literal["answered", "failed", "skipped"]
    answer: Answer | None = None
    rule: str = ""
    detail: str | None = None


class Stored(BaseModel):
    """One object of the cache: the question that was asked, as plain values, and its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    question: dict[str, object]
    answer: Answer


class _Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    model: str | None = None
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def read_completion(body: bytes) -> Answer:
    """Read the body of a chat completion.

    Raises `ValueError` where it is not one, such as a proxy's HTML page or half a JSON text.
    """
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from None
    choice, usage = completion.choices[0], completion.usage
    return Answer(
        text=choice.message.content or "",
        refusal=choice.message.refusal or None,
        finish_reason=choice.finish_reason,
        model=completion.model or "",
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
    )
