"""The prompt file of evolving: every message that is sent, and the words that betray a copied prompt."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from contract.records import Message
from generate.llm import promptfiles
from generate.llm.promptfiles import PromptTexts, Texts, filled, load_prompt_file

FOLDER = Path(__file__).parent / "prompts"
AUTO, BREADTH, COMPLICATE = "auto", "breadth", "complicate"


class AnswerTexts(Texts):
    """How an instruction is put to the model that answers it."""

    system: str
    user: str


class AutoTexts(Texts):
    """Auto Evol-Instruct: the first method, its frame, the analysis of what it did, and the mending."""

    method: str
    frame: str
    analyse: str
    mend: str


class PromptFile(PromptTexts):
    """What a prompt file holds."""

    depth: str
    breadth: str
    operations: dict[str, str]
    data: list[str]
    gain: str
    answer: AnswerTexts
    copied: list[str]
    asking_back: list[str]
    auto: AutoTexts


@dataclass(frozen=True)
class Case:
    """One evolution as the analysis sees it; `fault` is why it was rejected, if it was."""

    before: str
    after: str = ""
    answer: str = ""
    fault: str = ""


class Prompt(promptfiles.Prompt[PromptFile]):
    """Every message of the stage."""

    @cached_property
    def copied(self) -> tuple[str, ...]:
        """Words of the prompts that have no place in an instruction, in lower case."""
        return tuple(words.lower() for words in self.file.copied)

    @cached_property
    def asking_back(self) -> re.Pattern[str]:
        """Matches answers that ask for what the instruction should have brought."""
        return re.compile(rf"\s*(?:{'|'.join(self.file.asking_back)})", re.IGNORECASE)

    def rewrite(self, operation: str, instruction: str, data: str) -> tuple[Message, ...]:
        """Asks for an instruction evolved by one of the operations; `data` is what `complicate` adds."""
        method = filled(self.file.operations[operation], data=data)
        frame = self.file.breadth if operation == BREADTH else self.file.depth
        given = data if operation == COMPLICATE else ""
        return self.told(filled(frame, method=method, instruction=instruction, data=given))

    def rewrite_by(self, method: str, instruction: str) -> tuple[Message, ...]:
        """Asks for an instruction evolved by a method of Auto Evol-Instruct."""
        return self.told(filled(self.file.auto.frame, method=method.strip(), instruction=instruction))

    def gain(self, before: str, after: str) -> tuple[Message, ...]:
        """Asks whether two instructions ask for the same."""
        return self.told(filled(self.file.gain, before=before, after=after))

    def answer(self, system: str, instruction: str) -> tuple[Message, ...]:
        """Puts an instruction to a model; `system` is the sample's own system message, or empty."""
        return (
            Message(role="system", content=filled(self.file.answer.system, system=system)),
            Message(role="user", content=filled(self.file.answer.user, instruction=instruction)),
        )

    def analyse(self, method: str, cases: list[Case]) -> tuple[Message, ...]:
        """Asks what is wrong with a method, from what it did."""
        return self.told(filled(self.file.auto.analyse, method=method.strip(), cases=cases))

    def mend(self, method: str, feedback: str) -> tuple[Message, ...]:
        """Asks for a better method."""
        return self.told(filled(self.file.auto.mend, method=method.strip(), feedback=feedback))


def load_prompt(name: str) -> Prompt:
    """The prompt of that name and version. Raises `BadConfig` naming the ones there are."""
    return Prompt(name, load_prompt_file(FOLDER, name, PromptFile))
