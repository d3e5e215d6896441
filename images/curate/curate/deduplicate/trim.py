"""What becomes of the passages that a kept row shares: they are cut and booked, or listed."""

import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from contract.config.substring import Substring
from contract.records import LedgerEntry
from curate.deduplicate.cutting import cut, word_spans
from curate.deduplicate.substring import Passages
from curate.text import rows_text

ACCOUNT, CUT = "passages", "shared_passage"
SHOWN = 500  # characters of a passage that is only listed


def passages_in(batch: pa.RecordBatch, first_row: int, passages: Passages) -> Passages:
    """The passages of one batch's rows; they come sorted by row."""
    begin, end = np.searchsorted(passages.row, [first_row, first_row + batch.num_rows])
    return Passages(*(column[begin:end] for column in passages))


def trimmed(batch: pa.RecordBatch, first_row: int, passages: Passages) -> pa.RecordBatch:
    """The batch with its passages cut from `text`."""
    texts, number = batch.column("text").to_pylist(), batch.schema.get_field_index("text")
    for row in np.unique(passages.row).tolist():
        own = passages.row == row
        spans = zip(passages.start[own].tolist(), passages.end[own].tolist(), strict=True)
        texts[row - first_row] = cut(texts[row - first_row], spans)
    return batch.set_column(number, batch.schema.field(number), pa.array(texts, batch.schema.field(number).type))


def ledger(
    batch: pa.RecordBatch, first_row: int, passages: Passages, ids: pa.Array, config: Substring
) -> Iterator[LedgerEntry]:
    """An entry for each passage that is cut, with its text and where else it stands."""
    for row, start, end, holder, there, text in _read(batch, first_row, passages, "text"):
        yield LedgerEntry(
            account=ACCOUNT,
            status="dropped",
            rule=CUT,
            id=ids[row].as_py(),
            value=str(end - start),
            threshold=str(config.length),
            partner=ids[holder].as_py(),
            detail=f"words {start + 1:,} to {end:,}; in the partner from word {there + 1:,}",
            row=text,
        )


def listed(batch: pa.RecordBatch, first_row: int, passages: Passages, ids: pa.Array, field: str) -> Iterator[str]:
    """A line of JSON for each passage that is only reported; words are counted from 1."""
    for row, start, end, holder, there, text in _read(batch, first_row, passages, field):
        entry = {
            "id": ids[row].as_py(),
            "partner": ids[holder].as_py(),
            "words": end - start,
            "first_word": start + 1,
            "first_word_of_partner": there + 1,
            "text": text[:SHOWN],
        }
        yield json.dumps(entry, ensure_ascii=False) + "\n"


def longest(passages: Passages, row: int, partner: int) -> str | None:
    """In words, how a dropped row shares with its partner; `passages` are sorted by row. None for a row that went along
    with its copy, or in an earlier run."""
    begin, end = np.searchsorted(passages.row, [row, row + 1])
    own = Passages(*(column[begin:end] for column in passages))
    with_partner = np.flatnonzero(own.holder == partner)
    if not len(with_partner):
        return None
    best = with_partner[np.argmax((own.end - own.start)[with_partner])]
    place = f"words {own.start[best] + 1:,} to {own.end[best]:,}, there from {own.there[best] + 1:,}"
    return f"{len(own)} passages; the longest with the partner: {place}"


def _read(
    batch: pa.RecordBatch, first_row: int, passages: Passages, field: str
) -> Iterator[tuple[int, int, int, int, int, str]]:
    """Each passage with its text."""
    rows, before, spans, text = np.unique(passages.row), -1, [(0, 0)], ""
    texts = dict(zip(rows.tolist(), rows_text(batch.take(pa.array(rows - first_row)), field), strict=True))
    for row, start, end, holder, there in zip(*(column.tolist() for column in passages), strict=True):
        if row != before:
            text, before = texts[row], row
            spans = word_spans(text)
        yield row, start, end, holder, there, text[spans[start][0] : spans[end - 1][1]]
