"""The prompt file: what is asked about a pair."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from contract.keys import digest
from contract.records import Message
from generate.check_rephrased.extract import likest
from generate.check_rephrased.pairs import Pair
from generate.llm.promptfiles import filled, load_prompt_file

FOLDER = Path(__file__).parent / "prompts"


class PromptFile(BaseModel):
    """What a prompt file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str
    user: str
    reask: str


class Said(BaseModel):
    """What a model answers: the reason first, then whether the text rephrases the item."""

    model_config = ConfigDict(frozen=True, strict=True)

    reason: str
    rephrases: bool


@dataclass(frozen=True)
class Prompt:
    """A prompt ready for use; of each text at most `characters` are shown."""

    name: str
    file: PromptFile
    characters: int

    @cached_property
    def hash(self) -> str:
        """SHA-256 of everything in the file but its comments."""
        return digest(self.file.model_dump())

    def question(self, pair: Pair) -> tuple[Message, ...]:
        """Asks whether the row of a pair rephrases its item."""
        item, text = pair.item_text[: self.characters], likest(pair.row_text, pair.item_text, self.characters)
        asked = filled(self.file.user, item=item.strip(), text=text.strip())
        return Message(role="system", content=self.file.system.strip()), Message(role="user", content=asked)

    def reask(self, problem: str) -> str:
        """Says what was wrong with an answer, and asks again."""
        return filled(self.file.reask, problem=problem)


def load_prompt(name: str, characters: int) -> Prompt:
    """The prompt of that name and version. Raises `BadConfig` naming the ones there are."""
    return Prompt(name, load_prompt_file(FOLDER, name, PromptFile), characters)
