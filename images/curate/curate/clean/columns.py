"""Changes to a column of texts: only rows that an expression singles out are looked at one by one."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.private.finder import Finder, Kind


class Change(NamedTuple):
    """What one row's text was and what it is now; the two differ."""

    row: int
    before: str
    after: str


def screened(values: pa.Array, screen: str | None) -> Iterator[tuple[int, str]]:
    """Rows (number, text) in which `screen` (RE2) is found; all rows that have a text where it is None.

    Arrow looks for it in compiled code, outside Python's lock, and no other row becomes a Python string.
    """
    found = pc.is_valid(values) if screen is None else pc.fill_null(pc.match_substring_regex(values, screen), False)
    rows = np.flatnonzero(found.to_numpy(zero_copy_only=False))
    yield from zip(rows.tolist(), values.take(pa.array(rows)).to_pylist(), strict=True)


def gated(values: pa.Array, finder: Finder) -> Iterator[tuple[int, str, list[Kind]]]:
    """Rows (number, text, kinds) that may hold kinds of a finder, by the kinds' gates."""
    mask = pc.fill_null(pc.match_substring_regex(values, finder.screen), False).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(mask)
    if not len(rows):
        return
    texts = values.take(pa.array(rows))
    gates = {gate: pc.match_substring_regex(texts, gate).to_pylist() for gate in {kind.gate for kind in finder.kinds}}
    for place, (row, text) in enumerate(zip(rows.tolist(), texts.to_pylist(), strict=True)):
        yield row, text, [kind for kind in finder.kinds if gates[kind.gate][place]]


def changes(values: pa.Array, screen: str | None, change: Callable[[str], str]) -> list[Change]:
    """What a function from text to text changes in a column."""
    return [Change(row, text, after) for row, text in screened(values, screen) if (after := change(text)) != text]


def changed(values: pa.Array, some: Sequence[Change]) -> pa.Array:
    """The column with the changes made."""
    if not some:
        return values
    mask = np.zeros(len(values), bool)
    mask[[change.row for change in some]] = True
    return pc.replace_with_mask(values, pa.array(mask), pa.array([change.after for change in some], pa.string()))
