"""What a plan refuses, each by a name under which a recipe may overrule it."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from contract.failures import BadConfig, BadInput


class Refusals:
    """The refusals that a recipe overrules (`allow`), and those that were in fact overruled, with their sentences."""

    def __init__(self, allow: Sequence[str], log: logging.Logger) -> None:
        self._allow, self._log = frozenset(allow), log
        self.overruled: dict[str, str] = {}

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """A check whose failure is a refusal of this name: raised with the way to overrule it, or logged and kept."""
        try:
            yield
        except (BadConfig, BadInput) as failure:
            if name not in self._allow:
                way = f"`allow: [{name}]` to go on all the same"
                hint = f"{failure.hint}; or {way}" if failure.hint else way
                raise type(failure)(failure.found, expected=failure.expected, where=failure.where, hint=hint) from None
            self.overruled[name] = failure.sentence()
            self._log.warning("overruled", extra={"fields": {"refusal": name, "reason": failure.found}})
