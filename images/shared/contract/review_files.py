"""What review writes for people to work with, and the page reads: the samples drawn, and the form to fill in."""

from pydantic import BaseModel, ConfigDict, Field

from contract.keys import KEY_LENGTH
from contract.records import Message

SAMPLES, FORM, AGREEMENT = "review/sample.jsonl", "review/form.json", "review/agreement.json"


class Passage(BaseModel):
    """The text that a sample was made from; `start` and `end` are its span in the document (characters)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    title: str | None = None
    start: int
    end: int


class DrawnSample(BaseModel):
    """One line of the samples: what to look at, where it belongs, who had decided about it when it was drawn.

    A decision about it repeats `sample_id` and `content`, the fingerprint of the conversation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_id: str
    content: str = Field(pattern=f"^[0-9a-f]{{{KEY_LENGTH}}}$")
    messages: list[Message]
    stratum: dict[str, str]
    scores: dict[str, float] = {}
    tags: list[str] = []
    source: str = ""
    document_id: str | None = None
    chunk_id: str | None = None
    passage: Passage | None = None
    reviewers: list[str] = []


class ReviewForm(BaseModel):
    """What reviewers are told, the statements they tick, how many of them each sample wants."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    guidelines: str
    verdicts: list[str]
    checklist: list[str]
    reviewers: int = 1
