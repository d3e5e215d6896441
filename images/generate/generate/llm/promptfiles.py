"""Prompt files: versioned by name, hashed, filled in with Jinja."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Generic, TypeVar

import yaml
from jinja2 import Environment, StrictUndefined, Template
from pydantic import BaseModel, ConfigDict

from contract.failures import BadConfig
from contract.keys import digest
from contract.records import Message

_jinja = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
F = TypeVar("F", bound=BaseModel)


class Texts(BaseModel):
    """Base of the parts of a prompt file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PromptTexts(Texts):
    """What every prompt file holds: the system message, and the words that ask again after a bad answer."""

    system: str
    reask: str


P = TypeVar("P", bound=PromptTexts)


@dataclass(frozen=True)
class Prompt(Generic[P]):
    """A prompt file ready for use. A stage adds the questions that it asks."""

    name: str
    file: P

    @cached_property
    def hash(self) -> str:
        """SHA-256 of everything in the file but its comments."""
        return digest(self.file.model_dump(exclude_unset=True))

    def told(self, text: str) -> tuple[Message, ...]:
        """The system message, and a text as the user's."""
        return Message(role="system", content=self.file.system.strip()), Message(role="user", content=text)

    def reask(self, problem: str, **values: object) -> str:
        """The message that says what was wrong with an answer, and asks again."""
        return filled(self.file.reask, problem=problem, **values)


def load_prompt_file(folder: Path, name: str, shape: type[F], field: str = "prompt") -> F:
    """The file `<name>.yaml` of a stage's prompt folder. Raises `BadConfig` naming the ones there are."""
    known = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if name not in known:
        expected = f"one of {', '.join(known)}"
        raise BadConfig(f"`{field}` is {name!r}", expected=expected, where=f"--config of {folder.parent.name}")
    return shape.model_validate(yaml.safe_load(known[name].read_text(encoding="utf-8")))


@cache
def template(text: str) -> Template:
    """A Jinja template in which a name that is not given is an error."""
    return _jinja.from_string(text)


def filled(text: str, /, **values: object) -> str:
    """A prompt's text with its values filled in, without white space around it."""
    return str(template(text).render(**values)).strip()
