"""A few rows of each kind, shortened, for the pages and reports that must not read Parquet."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from contract.manifest import Preview, PreviewRow

KEPT, PER_RULE, CHARACTERS = 20, 5, 2_000


class PreviewKeeper:
    """Keeps the first rows that pass by."""

    def __init__(self) -> None:
        self._kept: list[PreviewRow] = []
        self._ledger: dict[str, list[PreviewRow]] = {}

    def kept(self, batch: pa.RecordBatch) -> None:
        """Look at rows written."""
        if len(self._kept) < KEPT:
            rows = batch.slice(0, KEPT - len(self._kept)).to_pylist()
            self._kept += [PreviewRow(row=_short(row)) for row in rows]

    def entries(self, batch: pa.RecordBatch, ends: Sequence[tuple[str, str, str]]) -> None:
        """Look at ledger entries written, of which `ends` are account, status and rule."""
        for number, end in enumerate(ends):
            shown = self._ledger.setdefault("/".join(end), [])
            if len(shown) < PER_RULE:
                shown.append(PreviewRow(entry=_short(batch.slice(number, 1).to_pylist()[0])))

    def close(self) -> Preview:
        """What was kept."""
        return Preview(kept=self._kept, ledger=dict(sorted(self._ledger.items())))


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > CHARACTERS:
        return value[:CHARACTERS] + f" … ({len(value):,} characters)"
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value[:50]]
    return value
