"""Everything that happens to a batch of documents: mappers, verdicts, and what to tell about it."""

import re
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.config.clean import CleanConfig
from curate.clean.columns import Change, changed
from curate.clean.furniture import FurnitureLines, Keys, Removed, source_keys, without_furniture
from curate.clean.mappers import mappers
from curate.clean.rows import PRIVATE_FIELDS, Found, Rows
from curate.clean.tally import AFTER, BEFORE, EXAMPLES, Example, Tally, changed_characters, excerpt, shortened
from curate.private.personal import personal_finder
from curate.private.secrets import secrets_finder
from curate.private.spans import Placeholders, replaced

REDACTED = "personal data and secrets are replaced, in the text as it was by then"
"""Detail of a ledger entry whose row is not as it came in."""
DROPPING_RULES = {"secrets": "secrets", "personal": "personal_data"}


@dataclass(frozen=True)
class Verdict:
    """Why a row goes no further; `also` holds the other rules that would have said the same."""

    rule: str
    value: str | int
    threshold: int | None = None
    also: list[str] = field(default_factory=list)
    detail: str | None = None


@dataclass
class Cleaned:
    """A batch after all mappers. `verdicts` belong to the rows of `dropped`, in order."""

    kept: pa.RecordBatch
    dropped: pa.RecordBatch
    verdicts: list[Verdict]
    tallies: dict[str, Tally]
    values: Counter[tuple[str, str]]
    rows_with: Counter[tuple[str, str]]
    removed: Counter[Removed]


class Cleaner:
    """Cleans batches of documents by a config. `lines` is there where the config's mappers include `furniture`."""

    def __init__(self, config: CleanConfig, lines: FurnitureLines | None = None) -> None:
        self._config, self._lines = config, lines
        self._mappers = mappers(config)
        finders = {"secrets": secrets_finder(config.secrets), "personal": personal_finder(config.personal)}
        self._finders = {name: finders[name] for name in config.mappers if name in finders}

    def __call__(self, batch: pa.RecordBatch) -> Cleaned:
        """Run the mappers and decide about each row."""
        rows, removed = self._mapped(batch)
        verdicts = dict(self._verdicts(rows))
        gone = np.zeros(batch.num_rows, bool)
        gone[list(verdicts)] = True
        found = [[(one.mapper, one.kind) for one in some] for some in rows.found.values()]
        dropped, redacted = self._redacted(_as_it_came(rows).filter(pa.array(gone)))
        return Cleaned(
            kept=_with_columns(batch, rows.columns).filter(pa.array(~gone)),
            dropped=dropped,
            verdicts=[
                replace(verdict, detail=REDACTED if row in rows.found or place in redacted else None)
                for place, (row, verdict) in enumerate(verdicts.items())
            ],
            tallies={name: self._tally(name, some, rows) for name, some in rows.changes.items()},
            values=Counter(pair for row in found for pair in row),
            rows_with=Counter(pair for row in found for pair in set(row)),
            removed=removed,
        )

    def lines(self, batch: pa.RecordBatch) -> tuple[Keys, Counter[str]]:
        """Hashes of the lines as they are before the `furniture` mapper, and the number of documents by source."""
        rows, _ = self._mapped(batch, until="furniture")
        return source_keys(batch.column("source").to_pylist(), rows.columns["text"].to_pylist())

    def told(self, text: str) -> str:
        """A text that the report may show: what the `secrets` and `personal` mappers make of it."""
        for finder in self._finders.values():
            text = replaced(text, finder.find(text), Placeholders())
        return text

    def _mapped(self, batch: pa.RecordBatch, until: str = "") -> tuple[Rows, Counter[Removed]]:
        rows, removed = Rows(batch, self._config.placeholders.numbered), Counter[Removed]()
        for name in self._config.mappers:
            if name == until:
                break
            if name == "furniture":
                removed += self._without_furniture(rows)
            elif name in self._finders:
                rows.hide(name, self._finders[name])
            else:
                rows.map(self._mappers[name])
        return rows, removed

    def _without_furniture(self, rows: Rows) -> Counter[Removed]:
        assert self._lines, "the lines were counted before"
        removed, some = Counter[Removed](), []
        texts, sources = rows.columns["text"].to_pylist(), rows.batch.column("source").to_pylist()
        for row, (text, source) in enumerate(zip(texts, sources, strict=True)):
            after, gone = without_furniture(text, source, self._lines)
            if gone:
                some.append(Change(row, text, after))
                removed.update(gone)
        rows.change("furniture", some)
        return removed

    def _redacted(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Container[int]]:
        """Rows without what a mapper had removed before it could be found, such as an address in a boilerplate line;
        and which rows held such a thing."""
        rows = Rows(batch)
        for name, finder in self._finders.items():
            rows.hide(name, finder)
        return _with_columns(batch, rows.columns), rows.found

    def _tally(self, name: str, some: list[Change], rows: Rows) -> Tally:
        characters = sum(changed_characters(change.before, change.after) for change in some)
        examples = _masked_examples(name, rows) if name in self._finders else self._open_examples(some, rows)
        return Tally(len({change.row for change in some}), characters, examples)

    def _open_examples(self, some: list[Change], rows: Rows) -> list[Example]:
        """The first changed rows in which nothing private was found."""
        ids = rows.batch.column("id")
        first = islice((change for change in some if change.row not in rows.found), EXAMPLES)
        shown = (excerpt(ids[change.row].as_py(), change.before, change.after) for change in first)
        return [Example(one.id, self.told(one.before), self.told(one.after)) for one in shown]

    def _verdicts(self, rows: Rows) -> Iterator[tuple[int, Verdict]]:
        """Rows that go no further, in order."""
        lengths = pc.utf8_length(rows.columns["text"]).to_numpy()
        short = np.flatnonzero(lengths < self._config.min_characters).tolist()
        for row in sorted({*short, *rows.found}):
            reasons = list(self._reasons(int(lengths[row]), rows.found.get(row, [])))
            if reasons:
                rule, value, threshold = reasons[0]
                also = [other for other, _, _ in reasons[1:]]
                yield row, Verdict(rule, value, threshold, also)

    def _reasons(self, length: int, found: list[Found]) -> Iterator[tuple[str, str | int, int | None]]:
        for name, finder in self._finders.items():
            kinds = Counter(one.kind for one in found if one.mapper == name)
            if finder.dropping & kinds.keys():
                counted = (f"{kind} {number}" for kind, number in sorted(kinds.items()) if kind in finder.dropping)
                yield DROPPING_RULES[name], ", ".join(counted), None
            if finder.drop_above is not None and kinds.total() > finder.drop_above:
                yield "too_much_personal_data", kinds.total(), finder.drop_above
        if length < self._config.min_characters:
            yield "too_short" if length else "emptied", length, self._config.min_characters


def _with_columns(batch: pa.RecordBatch, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    arrays = [columns.get(name, batch.column(name)) for name in batch.schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def _as_it_came(rows: Rows) -> pa.RecordBatch:
    """The rows as they came in, except those in which something private was found: they come with placeholders."""
    before = rows.batch.column("text")
    texts = changed(before, [Change(row, "", text) for row, text in sorted(rows.redacted.items())])
    others = {name: rows.columns[name] for name in PRIVATE_FIELDS if name != "text"}
    return _with_columns(rows.batch, {"text": texts} | others)


def _masked_examples(name: str, rows: Rows) -> list[Example]:
    """The first rows in whose text the mapper found something: the shape of it, and the placeholder."""
    ids = rows.batch.column("id")
    shown = (_masked(ids[row].as_py(), name, found, rows.redacted[row]) for row, found in sorted(rows.found.items()))
    return list(islice(filter(None, shown), EXAMPLES))


def _masked(row_id: str, name: str, found: list[Found], text: str) -> Example | None:
    one = next((one for one in found if one.mapper == name and one.field == "text"), None)
    place = re.search(rf"<{one.label}(?:_\d+)?>", text) if one else None
    if not one or not place:
        return None
    start, end = max(0, place.start() - BEFORE), place.start() + AFTER
    before = text[: place.start()] + one.mask + text[place.end() :]
    return Example(row_id, shortened(before, start, end), shortened(text, start, end))
