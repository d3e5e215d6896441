"""Regular expressions that a recipe brings, searched for a bounded time.

Python's own `re` has no limit: `(a+)+$` on forty letters takes longer than a night, and holds all threads meanwhile.
The `regex` package takes the same expressions and stops where it is told to; other threads go on.
"""

from functools import cache
from typing import TYPE_CHECKING

from contract.failures import BadConfig
from curate.cores import cores

if TYPE_CHECKING:
    import regex

PATIENCE = 10.0
"""Seconds of CPU time for each core that one expression may take on one text. What is counted is the time of the whole
process, whose other threads work meanwhile; an honest expression reads hundreds of megabytes in it."""


class Expression:
    """A regular expression in Python's syntax; `field` is where the config has it."""

    def __init__(self, pattern: str, field: str) -> None:
        self.pattern, self.field = pattern, field
        self._seconds = PATIENCE * cores()  # once: to ask how many there are costs more than most searches

    def search(self, text: str) -> "regex.Match[str] | None":
        """The first match in a text. Raises `BadConfig` where that takes too long."""
        try:
            return _compiled(self.pattern).search(text, timeout=self._seconds)
        except TimeoutError:
            raise self._too_slow(text) from None

    def fullmatch(self, text: str) -> "regex.Match[str] | None":
        """The match of a whole text. Raises `BadConfig` where that takes too long."""
        try:
            return _compiled(self.pattern).fullmatch(text, timeout=self._seconds)
        except TimeoutError:
            raise self._too_slow(text) from None

    def _too_slow(self, text: str) -> BadConfig:
        return BadConfig(
            f"the regular expression {self.pattern!r} took too long on a text of {len(text):,} characters",
            expected="one without repeats inside of repeats, such as (a+)+, and without several .* in a row",
            where=self.field,
        )


@cache
def _compiled(pattern: str) -> "regex.Pattern[str]":
    import regex  # 30 ms, for the recipes that bring expressions

    return regex.compile(pattern)
