"""The rows that datasets are made of.

A field's type here decides its Parquet column (`stagekit/schema.py`): str, int, float and bool are plain columns,
lists and nested models are lists and structs, and a `dict` is one column of canonical JSON text.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from contract.keys import KEY_LENGTH, digest


class Record(BaseModel):
    """Base of all rows: an id that is stable across runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str


class Document(Record):
    """One source text, whole."""

    text: str
    title: str | None = None
    author: str | None = None
    url: str | None = None
    source: str = ""
    license: str | None = None
    language: str | None = None
    created_at: str | None = None
    metadata: dict[str, str] = {}


class Chunk(Record):
    """An extract of a document; `start` and `end` are the character span in the document's text."""

    document_id: str
    ordinal: int
    start: int
    end: int
    text: str
    title: str | None = None
    author: str | None = None
    source: str = ""
    license: str | None = None
    language: str | None = None


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str


def conversation_key(messages: Sequence[Message]) -> str:
    """A name for what a conversation says, whatever its sample's id: 20 hexadecimal digits."""
    return digest([[message.role, message.content] for message in messages])[:KEY_LENGTH]


class Sample(Record):
    """A conversation to learn from, with where it came from."""

    messages: list[Message]
    kind: Literal["instruct", "evolved", "seed", "mixed-in"] = "instruct"
    document_id: str | None = None
    chunk_id: str | None = None
    start: int | None = None
    end: int | None = None
    parent_ids: list[str] = []
    source: str = ""
    author: str | None = None
    model: str | None = None
    prompt_hash: str | None = None
    response_hash: str | None = None
    scores: dict[str, float] = {}
    tags: list[str] = []
    license: str | None = None
    split: Literal["train", "test"] | None = None

    @property
    def instruction(self) -> str:
        """The first user message, or an empty string."""
        return next((m.content for m in self.messages if m.role == "user"), "")

    @property
    def answer(self) -> str:
        """The last assistant message, or an empty string."""
        return next((m.content for m in reversed(self.messages) if m.role == "assistant"), "")


class Preference(Record):
    """One prompt with a better and a worse answer."""

    messages: list[Message]
    chosen: str
    rejected: str
    chosen_rating: float | None = None
    rejected_rating: float | None = None
    chosen_model: str | None = None
    rejected_model: str | None = None


class Decision(Record):
    """What one reviewer decided about one sample.

    `content` is the fingerprint of the conversation that was looked at (`conversation_key`), by which a decision finds
    its sample after ids moved; empty where it is unknown. `messages` is the whole conversation as edited; `checklist`
    says of each statement whether it holds; `decided_at` is a UTC time.
    """

    sample_id: str
    content: str = ""
    reviewer: str
    verdict: Literal["accept", "reject", "edit"]
    messages: list[Message] = []
    checklist: dict[str, bool] = {}
    comment: str = ""
    seconds: float | None = None
    decided_at: str | None = None


class LedgerEntry(BaseModel):
    """Where one row or request that did not go on went, and why. Kept under `dropped/` beside the data.

    `account` names what was being counted (an input, or requests); `rule`, `value` and `threshold` are the decision;
    `partner` is the row or benchmark item that caused it; `also` holds other rules that would have said the same;
    `row` is the whole row as JSON, or the raw text where no row could be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    status: Literal["dropped", "failed", "skipped"]
    rule: str
    id: str
    value: str | None = None
    threshold: str | None = None
    partner: str | None = None
    detail: str | None = None
    also: list[str] = []
    row: str | None = None


RECORDS: dict[str, type[Record]] = {
    record.__name__: record for record in (Document, Chunk, Sample, Preference, Decision)
}
