"""Rubric and prompt files: versioned by name, hashed, turned into messages."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from contract.config.judge import HIGHEST, LOWEST, MOST_EXAMPLES
from contract.keys import digest
from contract.records import Message
from generate.judge.subjects import Subject
from generate.llm.promptfiles import filled, load_prompt_file

PROMPTS, RUBRICS = (Path(__file__).parent / name for name in ("prompts", "rubrics"))
TAGS = re.compile(r"<(/?)(instruction|reference|answer(?:_[ab])?)>", re.IGNORECASE)
Score = Literal[1, 2, 3, 4]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Example(_File):
    """An answer with the verdict that the rubric gives it."""

    instruction: str
    answer: str
    reference: str | None = None
    feedback: str
    score: Score


class RubricFile(_File):
    """What one criterion asks, and what each score means. `reference` says that answers are compared with a text."""

    question: str
    reference: bool
    scale: dict[int, str]
    examples: list[Example] = []

    @model_validator(mode="after")
    def _describes_every_value(self) -> Self:
        if sorted(self.scale) != list(range(LOWEST, HIGHEST + 1)):
            raise ValueError(f"the scale has {sorted(self.scale)}; expected every score from {LOWEST} to {HIGHEST}")
        return self


class Frame(_File):
    """The wording around a rubric."""

    system: str
    examples: str
    absolute: str
    pairwise: str
    reask: str
    opponent: str


@dataclass(frozen=True)
class Rubric:
    """One criterion; its scores are called `criterion`, whatever the version."""

    name: str
    file: RubricFile

    @property
    def criterion(self) -> str:
        """The name without its version."""
        return self.name.rpartition("-")[0] or self.name


@dataclass(frozen=True)
class Prompts:
    """Everything that is said to a judge."""

    name: str
    frame: Frame
    rubrics: tuple[Rubric, ...]

    @property
    def hash(self) -> str:
        """SHA-256 of everything in the files but their comments."""
        return digest([self.frame.model_dump(), [rubric.file.model_dump(mode="json") for rubric in self.rubrics]])

    def absolute(self, rubric: Rubric, subject: Subject, examples: int) -> tuple[Message, ...]:
        """Messages that ask for a score, with that many of the rubric's examples."""
        text = filled(
            self.frame.absolute,
            question=rubric.file.question,
            scale=sorted(rubric.file.scale.items()),
            instruction=sealed(subject.instruction),
            reference=_reference(rubric, subject.reference),
            answer=sealed(subject.answer),
        )
        return (self._systems[rubric.name][examples], Message(role="user", content=text))

    def pairwise(self, rubric: Rubric, subject: Subject, swapped: bool) -> tuple[Message, ...]:
        """Messages that ask which of the two answers is better; the opponent's comes first where `swapped`."""
        assert subject.opponent is not None
        pair = (subject.opponent, subject.answer) if swapped else (subject.answer, subject.opponent)
        text = filled(
            self.frame.pairwise,
            question=rubric.file.question,
            scale=sorted(rubric.file.scale.items()),
            instruction=sealed(subject.instruction),
            reference=_reference(rubric, subject.reference),
            first=sealed(pair[0]),
            second=sealed(pair[1]),
        )
        return (self._plain, Message(role="user", content=text))

    def opponent(self, subject: Subject) -> tuple[Message, ...]:
        """Messages that ask for an answer to compare with."""
        return (Message(role="user", content=filled(self.frame.opponent, instruction=sealed(subject.instruction))),)

    def reask(self, problem: str) -> str:
        """The message that says what was wrong with a verdict."""
        return filled(self.frame.reask, problem=problem)

    @property
    def _plain(self) -> Message:
        return Message(role="system", content=self.frame.system.strip())

    @cached_property
    def _systems(self) -> dict[str, list[Message]]:
        """For each rubric the system message with none of its examples, one, two, and so on to `MOST_EXAMPLES`.

        They stand there, not as turns of the conversation: a row's first message is about the row alone.
        """
        return {
            rubric.name: [self._with_examples(rubric.file.examples[:number]) for number in range(MOST_EXAMPLES + 1)]
            for rubric in self.rubrics
        }

    def _with_examples(self, examples: list[Example]) -> Message:
        verdicts = [
            json.dumps({"feedback": each.feedback, "score": each.score}, ensure_ascii=False) for each in examples
        ]
        shown = filled(self.frame.examples, examples=list(zip(examples, verdicts, strict=True))) if examples else ""
        return Message(role="system", content=f"{self.frame.system.strip()}\n\n{shown}".strip())


def load_prompts(prompt: str, criteria: list[str]) -> Prompts:
    """The prompt and rubrics of these names and versions. Raises `BadConfig` naming the ones there are."""
    frame = load_prompt_file(PROMPTS, prompt, Frame)
    return Prompts(
        prompt, frame, tuple(Rubric(name, load_prompt_file(RUBRICS, name, RubricFile, "criteria")) for name in criteria)
    )


def sealed(text: str) -> str:
    """Material whose own tags cannot be taken for the prompt's."""
    return TAGS.sub(r"[\1\2]", text.strip())


def _reference(rubric: Rubric, reference: str | None) -> str | None:
    return sealed(reference) if rubric.file.reference and reference else None
