"""What rules look at, a batch of rows at once, and how they answer."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curate.filter.code import Blocks, check_blocks
from curate.language import Identifier, Predictions
from curate.once import Once

if TYPE_CHECKING:
    from curate.filter.arrays import Wanted

Number = int | float
Mask: TypeAlias = npt.NDArray[np.bool_]
Values: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.float64]


class Rows:
    """A batch: the texts of the configured field, and what else rules need. Columns are made when first asked for."""

    def __init__(
        self,
        texts: pa.Array,
        licenses: Sequence[str | None] = (),
        instructions: Sequence[str] = (),
        answers: Sequence[str] = (),
        families: Collection[str] = (),
        identify: Identifier | None = None,
        scores: Sequence[Mapping[str, float]] = (),
    ) -> None:
        self.texts, self.licenses, self.instructions, self.answers = texts, licenses, instructions, answers
        self.scores, self._families, self._identify = scores, families, identify

    def __len__(self) -> int:
        return len(self.texts)

    @Once
    def strings(self) -> list[str]:
        """The texts as Python strings, for rules that need those."""
        strings: list[str] = self.texts.to_pylist()
        return strings

    @Once
    def characters(self) -> Values:
        """The length of each text in characters."""
        lengths: Values = pc.utf8_length(self.texts).to_numpy(zero_copy_only=False).astype(np.int64)
        return lengths

    @Once
    def measures(self) -> "Wanted":
        """The published measures of the families that the config asks for."""
        from curate.filter.measures import measure  # compiled loops: only rules that need them pay for loading

        return measure(self.texts, self._families)

    @Once
    def code(self) -> Blocks:
        """The state of each text's code blocks."""
        return check_blocks(self.strings)

    @Once
    def languages(self) -> Predictions:
        """The language of each text and how sure that is."""
        assert self._identify, "no model was loaded"
        return self._identify(self.strings)


class Verdicts(NamedTuple):
    """What a rule says of each row: whether it fails, the value that decides, and the bound it was held against."""

    fails: Mask
    values: Values | Sequence[str | None]
    threshold: Number | str

    def value(self, row: int) -> Number | str:
        """The value of one failing row, as a plain number or text."""
        value = self.values[row]
        return value.item() if isinstance(value, np.generic) else value or ""


Check = Callable[[Rows], Verdicts]
Measure = Callable[[Rows], Values]


def at_least(measure: Measure, bound: Number | None) -> Check | None:
    """A check that the measure reaches the bound; None where there is no bound."""
    if bound is None:
        return None
    return lambda rows: Verdicts((values := measure(rows)) < bound, values, bound)


def at_most(measure: Measure, bound: Number | None) -> Check | None:
    """A check that the measure does not exceed the bound; None where there is no bound."""
    if bound is None:
        return None
    return lambda rows: Verdicts((values := measure(rows)) > bound, values, bound)


def none_of(find: Callable[[str], str | None], column: Callable[[Rows], Sequence[str]], wanted: str) -> Check:
    """A check that finds nothing to object to in each row's text; what `find` returns is the value."""

    def check(rows: Rows) -> Verdicts:
        found = [find(text) for text in column(rows)]
        return failing(found, wanted)

    return check


def failing(found: Sequence[str | None], threshold: Number | str) -> Verdicts:
    """Verdicts from what was found in each row, None meaning that nothing speaks against it."""
    return Verdicts(np.fromiter((item is not None for item in found), bool, len(found)), found, threshold)


def texts_of(rows: Rows) -> Sequence[str]:
    """The texts of the configured field."""
    return rows.strings


def answers_of(rows: Rows) -> Sequence[str]:
    """The answers of samples."""
    return rows.answers


def instructions_of(rows: Rows) -> Sequence[str]:
    """The instructions of samples."""
    return rows.instructions


def share(part: Number, whole: Number) -> float:
    """`part / whole`, 0 of nothing being 0."""
    return part / whole if whole else 0.0
