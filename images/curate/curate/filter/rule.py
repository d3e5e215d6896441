"""What an entry of the table of rules is."""

from collections.abc import Callable
from typing import NamedTuple

from contract.config.filter import FilterConfig
from curate.filter.files import Files
from curate.filter.rows import Check

Build = Callable[[FilterConfig, Files], Check | None]


class Rule(NamedTuple):
    """One rule. `build` makes its check from the config, or None where the config leaves it off."""

    name: str
    description: str
    build: Build


def switched(on: Callable[[FilterConfig], bool], check: Check | None) -> Build:
    """A check that the config switches on or off as it is."""
    return lambda config, files: check if on(config) else None
