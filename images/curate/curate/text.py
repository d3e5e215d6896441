"""Which text of a row a stage looks at."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from contract.failures import BadConfig

Messages = list[dict[str, Any]]


def rows_text(batch: pa.RecordBatch, field: str) -> list[str]:
    """One text per row: `text` of documents and chunks; `instruction`, `answer` or `conversation` of samples.

    Raises `BadConfig` where rows of this type have no such text.
    """
    texts = text_column(batch, field)
    return texts if isinstance(texts, list) else texts.to_pylist()


def text_column(batch: pa.RecordBatch, field: str) -> "list[str] | pa.Array":
    """The same texts, without making Python strings where they are a column of the batch."""
    column = column_of(field)
    if column not in batch.schema.names:
        raise no_such_text(field)
    values = batch.column(column)
    return values if field == "text" else [OF_MESSAGES[field](messages) for messages in values.to_pylist()]


def no_such_text(field: str, where: str = "") -> BadConfig:
    """The failure to raise for rows that have no such text."""
    has = "instruction, answer or conversation" if field == "text" else "text"
    return BadConfig(f"`field` is {field!r}, which these rows do not have", expected=has, where=where)


def column_of(field: str) -> str:
    """The column that holds a text."""
    return "text" if field == "text" else "messages"


def _instruction(messages: Messages) -> str:
    return next((message["content"] for message in messages if message["role"] == "user"), "")


def _answer(messages: Messages) -> str:
    return next((message["content"] for message in reversed(messages) if message["role"] == "assistant"), "")


def _conversation(messages: Messages) -> str:
    return "\n\n".join(message["content"] for message in messages)


OF_MESSAGES: dict[str, Callable[[Messages], str]] = {
    "instruction": _instruction,
    "answer": _answer,
    "conversation": _conversation,
}
"""How each text of a sample is read from its messages; the same readings as `Sample.instruction` and `.answer`."""
