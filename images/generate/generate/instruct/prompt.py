"""Prompt files: versioned by name, hashed, filled in with Jinja."""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from contract.failures import BadConfig
from contract.records import Chunk, Message
from generate.instruct.cells import Cell
from generate.llm import promptfiles
from generate.llm.promptfiles import PromptTexts, filled, load_prompt_file

FOLDER = Path(__file__).parent / "prompts"


class PromptFile(PromptTexts):
    """What a prompt file holds."""

    user: str
    copied: list[str]
    pointing: list[str]
    languages: dict[str, str] = {}
    """What languages are called in the prompt, by ISO 639 code; `other_language` words a code that is not listed."""
    other_language: str = ""


class Prompt(promptfiles.Prompt[PromptFile]):
    """The messages that ask for pairs and tasks; `reask` says how many more, and how many were good."""

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
        about = {"text": chunk.text, "title": chunk.title, "author": chunk.author}
        asked = {"count": count, "language": self.language(language), "passages": passages}
        return self.told(filled(self.file.user, **about, **asked))

    def open_cell(self, cell: Cell, count: int, examples: Sequence[str]) -> tuple[Message, ...]:
        """The messages that ask for `count` tasks of one cell of the taxonomy, other than the examples."""
        asked = {"count": count, "examples": examples, "language": self.language(cell.language)}
        return self.told(filled(self.file.user, cell=cell, **asked))

    def language(self, code: str | None) -> str:
        """What the prompt calls a language; nothing for none."""
        if code is None:
            return ""
        return self.file.languages.get(code) or filled(self.file.other_language, code=code)


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
