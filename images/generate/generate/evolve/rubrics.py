"""The prompt file of rating: one rubric for each aspect."""

from pathlib import Path

from contract.records import Message
from generate.llm.promptfiles import Prompt, PromptTexts, filled, load_prompt_file

FOLDER = Path(__file__).parent / "rating_prompts"


class RubricFile(PromptTexts):
    """What a rubric file holds."""

    user: str
    aspects: dict[str, str]


class Rubrics(Prompt[RubricFile]):
    """What is asked about answers."""

    def question(self, aspect: str, instruction: str, answers: list[str]) -> tuple[Message, ...]:
        """Asks for the ratings of all answers by one aspect."""
        rubric = self.file.aspects[aspect].strip()
        return self.told(filled(self.file.user, aspect=rubric, instruction=instruction, answers=answers))


def load_rubrics(name: str) -> Rubrics:
    """The rubrics of that name and version. Raises `BadConfig` naming the ones there are."""
    return Rubrics(name, load_prompt_file(FOLDER, name, RubricFile, "compare.prompt"))
