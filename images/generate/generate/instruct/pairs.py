"""Pairs out of a model's answer, and what is wrong with the answer."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from generate.llm.answer import Answer
from generate.llm.jsontext import parse, salvage
from generate.llm.refusals import refusal_of
from generate.llm.structured import SURROGATE


class Pair(BaseModel):
    """One instruction and its answer."""

    model_config = ConfigDict(frozen=True, strict=True)

    instruction: str
    answer: str

    @field_validator("instruction", "answer")
    @classmethod
    def _is_unicode(cls, text: str) -> str:
        """JSON can spell half a UTF-16 pair, which no file can hold."""
        if SURROGATE.search(text):
            raise ValueError("half a UTF-16 pair")
        return text


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "pairs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"instruction": {"type": "string"}, "answer": {"type": "string"}},
                "required": ["instruction", "answer"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["pairs"],
    "additionalProperties": False,
}
FIELDS = frozenset({"instruction", "answer"})


@dataclass(frozen=True)
class Reading:
    """What an answer held: its sound pairs, and the problem to send back (None when there is none)."""

    pairs: list[Pair]
    problem: str | None = None
    refusal: str | None = None


def read_answer(answer: Answer, wanted: int) -> Reading:
    """Read an answer that should hold `wanted` pairs; what is sound is kept, whatever is wrong with the rest."""
    if refusal := refusal_of(answer):
        return Reading([], refusal=refusal)
    items, problem = _items(answer.text)
    pairs, wrong = _sound(items)
    if answer.finish_reason == "length" and len(pairs) < wanted:
        problem = "the answer was cut off at the length limit; write shorter answers"
    elif wrong and not problem:
        problem = f"{len(wrong)} of {len(items)} pairs are malformed: {wrong[0]}"
    elif len(pairs) < wanted and not problem:
        problem = f"{wanted} pairs were asked for and {len(pairs)} came"
    return Reading(pairs, problem)


def _items(text: str) -> tuple[list[Any], str | None]:
    try:
        value = parse(text)
    except ValueError as error:
        return list(salvage(text, FIELDS)), f"it is not valid JSON ({error})"
    if isinstance(value, dict) and isinstance(value.get("pairs"), list):
        return value["pairs"], None
    if isinstance(value, list):
        return value, None
    if isinstance(value, dict) and value.keys() >= FIELDS:
        return [value], None
    return list(salvage(text, FIELDS)), 'the JSON has no list "pairs"'


def _sound(items: list[Any]) -> tuple[list[Pair], list[str]]:
    pairs, wrong = [], []
    for number, item in enumerate(items, 1):
        try:
            pairs.append(Pair.model_validate(item))
        except ValidationError as error:
            first = error.errors()[0]
            wrong.append(f"pair {number}: {'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}")
    return pairs, wrong
