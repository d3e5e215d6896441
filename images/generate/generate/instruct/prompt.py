"""Prompt files: versioned by name, hashed, filled in with Jinja."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from contract.keys import digest
from contract.records import Chunk, Message
from generate.llm.promptfiles import filled, load_prompt_file

FOLDER = Path(__file__).parent / "prompts"


class PromptFile(BaseModel):
    """What a prompt file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str
    user: str
    reask: str
    copied: list[str]
    pointing: list[str]


@dataclass(frozen=True)
class Prompt:
    """A prompt ready for use."""

    name: str
    file: PromptFile

    @cached_property
    def hash(self) -> str:
        """SHA-256 of everything in the file but its comments."""
        return digest(self.file.model_dump())

    @cached_property
    def pointing(self) -> re.Pattern[str]:
        """Finds words that point at something the reader of a pair cannot see."""
        return re.compile("|".join(self.file.pointing), re.IGNORECASE)

    @cached_property
    def copied(self) -> tuple[str, ...]:
        """Words of the prompt that have no place in a pair, in lower case."""
        return tuple(words.lower() for words in self.file.copied)

    def open(self, chunk: Chunk, count: int) -> tuple[Message, ...]:
        """The messages that ask for `count` pairs."""
        user = filled(self.file.user, text=chunk.text, title=chunk.title, count=count)
        return (Message(role="system", content=self.file.system.strip()), Message(role="user", content=user))

    def reask(self, problem: str, count: int, kept: int) -> str:
        """The message that says what was wrong and asks for the `count` pairs still missing."""
        return filled(self.file.reask, problem=problem, count=count, kept=kept)


def load_prompt(name: str) -> Prompt:
    """The prompt of that name and version. Raises `BadConfig` naming the ones there are."""
    return Prompt(name, load_prompt_file(FOLDER, name, PromptFile))
