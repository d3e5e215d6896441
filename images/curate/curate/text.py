"""Which text of a row a stage looks at."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contract.failures import BadConfig

Strings: TypeAlias = pa.Array
"""One text per row, as an Arrow array of strings."""


def rows_text(batch: pa.RecordBatch, field: str) -> list[str]:
    """One text per row: `text` of documents and chunks; `instruction`, `answer` or `conversation` of samples.

    Raises `BadConfig` where rows of this type have no such text.
    """
    texts: list[str] = text_column(batch, field).to_pylist()
    return texts


def text_column(batch: pa.RecordBatch, field: str) -> Strings:
    """The same texts as an Arrow array, for readers that need no Python strings.

    The readings of a sample are those of `Sample.instruction` and `.answer`: the first message of the user, the last of
    the assistant, or nothing; a conversation is all messages with an empty line between them.
    """
    if column_of(field) not in batch.schema.names:
        raise no_such_text(field)
    values = batch.column(column_of(field))
    if field == "text":
        return values
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(values).to_numpy())])
    messages = values.flatten()
    contents = messages.field("content")
    if field == "conversation":
        return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), contents), "\n\n")
    said = _said_by(messages.field("role"), offsets, "user" if field == "instruction" else "assistant")
    chosen = said[:, 0] if field == "instruction" else said[:, 1]
    return contents.take(pa.array(chosen, mask=chosen < 0)).fill_null("")


def no_such_text(field: str, where: str = "") -> BadConfig:
    """The failure to raise for rows that have no such text."""
    has = "instruction, answer or conversation" if field == "text" else "text"
    return BadConfig(f"`field` is {field!r}, which these rows do not have", expected=has, where=where)


def column_of(field: str) -> str:
    """The column that holds a text."""
    return "text" if field == "text" else "messages"


def _said_by(roles: pa.Array, offsets: npt.NDArray[np.int64], role: str) -> npt.NDArray[np.int64]:
    """For each row the places of the first and the last message of a role, or -1."""
    places = np.flatnonzero(pc.equal(roles, role).to_numpy(zero_copy_only=False))
    rows = np.searchsorted(offsets, places, side="right") - 1
    found = np.full((len(offsets) - 1, 2), -1, np.int64)
    found[rows[::-1], 0] = places[::-1]  # the last write of a row stands
    found[rows, 1] = places
    return found
