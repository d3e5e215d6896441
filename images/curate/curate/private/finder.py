"""One search over many kinds of private values."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from curate.private.allow import Allowed
from curate.private.spans import Span, apart

NOTHING = r"[^\s\S]"


@dataclass(frozen=True)
class Kind:
    """One kind of value. `gate` is found in every text that holds it: the same in RE2 and, for ASCII, in re."""

    name: str
    gate: str
    find: Callable[[str], Iterator[Span]]

    @cached_property
    def may_hold(self) -> Callable[[str], object]:
        """The gate as a search."""
        return re.compile(self.gate, re.ASCII).search


@dataclass(frozen=True)
class Finder:
    """Finds values of its kinds; of two kinds that claim the same characters, the earlier has them.

    A row that holds a kind of `dropping`, or more than `drop_above` values, is to be dropped.
    """

    kinds: Sequence[Kind]
    allowed: Allowed
    dropping: frozenset[str]
    drop_above: int | None = None

    @cached_property
    def screen(self) -> str:
        """An expression (RE2) found in every text that holds any of it."""
        return "|".join(sorted({kind.gate for kind in self.kinds})) or NOTHING

    def find(self, text: str, kinds: Iterable[Kind] | None = None) -> list[Span]:
        """All spans in a text, in order, none overlapping another; `kinds` are those whose gates are open."""
        if kinds is None:
            kinds = (kind for kind in self.kinds if kind.may_hold(text))
        found = apart(span for kind in kinds for span in kind.find(text))
        return [span for span in found if not self.allowed(text, span)]
