"""substring: long passages that several rows share, and what becomes of them."""

from typing import Literal

from pydantic import Field

from contract.config.base import Config


class Substring(Config):
    """Passages of `length` words or more that stand in two rows, word for word (case and punctuation aside)."""

    length: int = Field(50, ge=5, le=10_000)
    """Shortest shared passage, in words (5 to 10,000); Lee et al. (2022) take 50 tokens."""

    action: Literal["report", "cut", "drop"] = "cut"
    """`report` lists passages and changes nothing; `cut` takes them out of all documents but the most wanted one;
    `drop` drops rows that consist of them by more than `share`."""

    share: float = Field(0.5, ge=0, le=1)
    """`drop` only: a row goes when more than this share of its words stands in kept rows (0 to 1)."""

    minimum: int = Field(20, ge=0, le=100_000)
    """`cut` only: a document of which fewer words are left is dropped (0 to 100,000)."""
