"""The prompt file of rating: one rubric for each aspect."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from contract.keys import digest
from contract.records import Message
from generate.evolve.prompt import Texts
from generate.llm.promptfiles import filled, load_prompt_file

FOLDER = Path(__file__).parent / "rating_prompts"


class RubricFile(Texts):
    """What a rubric file holds."""

    system: str
    user: str
    reask: str
    aspects: dict[str, str]


@dataclass(frozen=True)
class Rubrics:
    """A rubric file ready for use."""

    name: str
    file: RubricFile

    @cached_property
    def hash(self) -> str:
        """SHA-256 of everything in the file but its comments."""
        return digest(self.file.model_dump())

    def question(self, aspect: str, instruction: str, answers: list[str]) -> tuple[Message, ...]:
        """Asks for the ratings of all answers by one aspect."""
        rubric = self.file.aspects[aspect].strip()
        user = filled(self.file.user, aspect=rubric, instruction=instruction, answers=answers)
        return Message(role="system", content=self.file.system.strip()), Message(role="user", content=user)

    def reask(self, problem: str) -> str:
        """Says what was wrong with a rating, and asks again."""
        return filled(self.file.reask, problem=problem)


def load_rubrics(name: str) -> Rubrics:
    """The rubrics of that name and version. Raises `BadConfig` naming the ones there are."""
    return Rubrics(name, load_prompt_file(FOLDER, name, RubricFile, "compare.prompt"))
