"""Prompt files: versioned by name, hashed, filled in with Jinja."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from contract.failures import BadConfig
from contract.keys import digest
from contract.records import Chunk, Message
from generate.instruct.cells import Cell
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
    languages: dict[str, str] = {}
    """What languages are called in the prompt, by ISO 639 code; `other_language` words a code that is not listed."""
    other_language: str = ""


@dataclass(frozen=True)
class Prompt:
    """A prompt ready for use."""

    name: str
    file: PromptFile

    @cached_property
    def hash(self) -> str:
        """SHA-256 of everything in the file but its comments."""
        return digest(self.file.model_dump(exclude_unset=True))

    @cached_property
    def pointing(self) -> re.Pattern[str]:
        """Finds words that point at something the reader of a pair cannot see."""
        return re.compile("|".join(self.file.pointing), re.IGNORECASE)

    def points(self, text: str) -> str | None:
        """The words of a text that point at something its reader cannot see."""
        if self._in_small_letters and text.isascii() and not self._in_small_letters.search(text.lower()):
            return None
        found = self.pointing.search(text)
        return found.group() if found else None

    @cached_property
    def _in_small_letters(self) -> re.Pattern[str] | None:
        """The same patterns for a text in small letters, three times as fast; None where they tell letters apart."""
        whole = "|".join(self.file.pointing)
        return re.compile(whole) if whole == whole.lower() else None

    @cached_property
    def copied(self) -> tuple[str, ...]:
        """Words of the prompt that have no place in a pair, in lower case."""
        return tuple(words.lower() for words in self.file.copied)

    def open(
        self, chunk: Chunk, count: int, language: str | None = None, passages: Sequence[str] = ()
    ) -> tuple[Message, ...]:
        """The messages that ask for `count` pairs about a chunk, in its own language unless another is named;
        `passages` show how its author writes."""
        return self._told(
            text=chunk.text,
            title=chunk.title,
            author=chunk.author,
            count=count,
            language=self.language(language),
            passages=passages,
        )

    def open_cell(self, cell: Cell, count: int, examples: Sequence[str]) -> tuple[Message, ...]:
        """The messages that ask for `count` tasks of one cell of the taxonomy, other than the examples."""
        return self._told(cell=cell, count=count, examples=examples, language=self.language(cell.language))

    def language(self, code: str | None) -> str:
        """What the prompt calls a language; nothing for none."""
        if code is None:
            return ""
        return self.file.languages.get(code) or filled(self.file.other_language, code=code)

    def reask(self, problem: str, count: int, kept: int) -> str:
        """The message that says what was wrong and asks for the `count` pairs still missing."""
        return filled(self.file.reask, problem=problem, count=count, kept=kept)

    def _told(self, **values: object) -> tuple[Message, ...]:
        user = filled(self.file.user, **values)
        return Message(role="system", content=self.file.system.strip()), Message(role="user", content=user)


def load_prompt(name: str, mode: str, language: str | None = None) -> Prompt:
    """The prompt of that name and version.

    Raises `BadConfig` for one that is not there or not of that mode, naming those that are, and for a `language` that
    it cannot ask for.
    """
    known = sorted(path.stem for path in FOLDER.glob(f"{mode}-*.yaml"))
    if name not in known:
        raise BadConfig(f"`prompt` is {name!r}", expected=f"one of {', '.join(known)}", where="--config of instruct")
    prompt = Prompt(name, load_prompt_file(FOLDER, name, PromptFile))
    if language and not prompt.file.other_language:
        raise BadConfig(
            f"`language` is {language!r}, but prompt {name} always writes in the language of the chunk",
            expected=f"another prompt, such as {known[-1]}, or `language: null`",
            where="--config of instruct",
        )
    return prompt
