"""The prompt file: what is asked about a pair."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from contract.records import Message
from generate.check_rephrased.extract import likest
from generate.check_rephrased.pairs import Pair
from generate.llm import promptfiles
from generate.llm.promptfiles import PromptTexts, filled, load_prompt_file

FOLDER = Path(__file__).parent / "prompts"


class PromptFile(PromptTexts):
    """What a prompt file holds."""

    user: str


class Said(BaseModel):
    """What a model answers: the reason first, then whether the text rephrases the item."""

    model_config = ConfigDict(frozen=True, strict=True)

    reason: str
    rephrases: bool


@dataclass(frozen=True)
class Prompt(promptfiles.Prompt[PromptFile]):
    """The question about a pair; of each text at most `characters` are shown."""

    characters: int

    def question(self, pair: Pair) -> tuple[Message, ...]:
        """Asks whether the row of a pair rephrases its item."""
        item, text = pair.item_text[: self.characters], likest(pair.row_text, pair.item_text, self.characters)
        return self.told(filled(self.file.user, item=item.strip(), text=text.strip()))


def load_prompt(name: str, characters: int) -> Prompt:
    """The prompt of that name and version. Raises `BadConfig` naming the ones there are."""
    return Prompt(name, load_prompt_file(FOLDER, name, PromptFile), characters)
