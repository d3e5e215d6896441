"""A batch of documents on its way through the mappers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson
import pyarrow as pa

from curate.clean.columns import Change, changed, changes, gated
from curate.clean.mappers import Mapper
from curate.private.finder import Finder, Kind
from curate.private.spans import Placeholders, masked, replaced

PRIVATE_FIELDS = ("text", "title", "author", "url", "metadata")
"""What may hold personal data and secrets. An id must stay what it is, or nothing could be traced."""


class Found(NamedTuple):
    """A value that was found: by which mapper, of what kind, where, and its shape."""

    mapper: str
    kind: str
    label: str
    field: str
    mask: str


@dataclass
class Rows:
    """Columns as they are by now, and what has happened to them. `redacted` is the text without what was found."""

    batch: pa.RecordBatch
    numbered: bool = False
    columns: dict[str, pa.Array] = field(default_factory=dict)
    changes: dict[str, list[Change]] = field(default_factory=dict)
    found: dict[int, list[Found]] = field(default_factory=dict)
    redacted: dict[int, str] = field(default_factory=dict)
    _placeholders: dict[int, Placeholders] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.columns = {name: self.batch.column(name) for name in PRIVATE_FIELDS}

    def map(self, mapper: Mapper) -> None:
        """Run a mapper over the text."""
        self.change(mapper.name, changes(self.columns["text"], mapper.screen, mapper.change))

    def change(self, name: str, some: Sequence[Change]) -> None:
        """Make changes to the text and remember them under a mapper's name."""
        self.changes.setdefault(name, []).extend(some)
        self.columns["text"] = changed(self.columns["text"], some)

    def hide(self, name: str, finder: Finder) -> None:
        """Replace what a finder finds, in the text and in what else may hold it."""
        for column in PRIVATE_FIELDS:
            some = [
                Change(row, value, after)
                for row, value, kinds in gated(self.columns[column], finder)
                if (after := self._hidden(row, column, value, name, finder, kinds)) != value
            ]
            if column == "text":
                self.change(name, some)
            else:
                self.columns[column] = changed(self.columns[column], some)
        self._keep_redacted()

    def _hidden(self, row: int, column: str, value: str, name: str, finder: Finder, kinds: Sequence[Kind]) -> str:
        if column != "metadata":
            return self._replaced(row, column, value, name, finder, kinds)
        values: dict[str, str] = orjson.loads(value)
        hidden = {key: self._replaced(row, column, item, name, finder, kinds) for key, item in values.items()}
        return value if hidden == values else orjson.dumps(hidden, option=orjson.OPT_SORT_KEYS).decode()

    def _replaced(self, row: int, column: str, value: str, name: str, finder: Finder, kinds: Sequence[Kind]) -> str:
        spans = finder.find(value, kinds)
        if not spans:
            return value
        self.found.setdefault(row, []).extend(
            Found(name, span.kind, span.label, column, masked(value[span.start : span.end])) for span in spans
        )
        return replaced(value, spans, self._placeholders.setdefault(row, Placeholders(self.numbered)))

    def _keep_redacted(self) -> None:
        texts = self.columns["text"]
        self.redacted = {row: texts[row].as_py() for row in self.found}
