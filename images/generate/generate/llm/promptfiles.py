"""Prompt files: versioned by name, hashed, filled in with Jinja."""

from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml
from jinja2 import Environment, StrictUndefined, Template
from pydantic import BaseModel

from contract.failures import BadConfig

_jinja = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
F = TypeVar("F", bound=BaseModel)


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
