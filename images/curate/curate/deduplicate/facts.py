"""What has to be known of each row before anything is decided: small, while the texts stay on disk."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from contract.failures import BadConfig
from curate.deduplicate.minhash import Engine
from curate.shingles import Hashes, shingle_sets
from curate.text import rows_text

Preference = tuple[Any, ...]
"""Sorts rows from the most wanted to the least."""


@dataclass(frozen=True)
class Facts:
    """Of each row: digests of its normalised text and of its shingle set (None without words), preference, sketch."""

    normalised: list[bytes]
    shingled: list[bytes | None]
    preference: list[Preference]
    sketches: Hashes


def facts_of(batch: pa.RecordBatch, config: DeduplicateConfig, engine: Engine, first_row: int) -> Facts:
    """Read one batch, whose first row is number `first_row` of the input."""
    texts = rows_text(batch, config.field)
    sets = shingle_sets(texts if config.near else [""] * len(texts), config.ngram)
    digests = [_digest(sets.row(i).tobytes()) if sets.lengths[i] else None for i in range(len(texts))]
    return Facts(
        [_digest(normalised(text).encode()) for text in texts],
        digests,
        preferences(batch, texts, config.keep, first_row),
        engine.sketch(sets),
    )


def joined(parts: Sequence[Facts]) -> Facts:
    """Facts of all batches, in row order."""
    return Facts(
        [digest for part in parts for digest in part.normalised],
        [digest for part in parts for digest in part.shingled],
        [preference for part in parts for preference in part.preference],
        np.concatenate([part.sketches for part in parts]) if parts else np.empty((0, 1), np.uint64),
    )


def normalised(text: str) -> str:
    """Lower case, white space collapsed: what exact duplicates have in common."""
    return " ".join(text.lower().split())


def preferences(batch: pa.RecordBatch, texts: list[str], keep: str, first_row: int) -> list[Preference]:
    """The sort key of each row; ties are broken by a hash of text and id, so never by position."""
    if keep == "first":
        return [(first_row + number,) for number in range(len(texts))]
    whole = rows_text(batch, "conversation") if "messages" in batch.schema.names else texts
    ties = [_digest(f"{text}\0{row}".encode()) for text, row in zip(whole, batch.column("id").to_pylist(), strict=True)]
    lengths = [(-len(text), -len(rest)) for text, rest in zip(texts, whole, strict=True)]
    ages = [_age(value) for value in _created(batch)] if keep == "oldest" else [0.0] * len(texts)
    return list(zip(ages, lengths, ties, strict=True))


def _created(batch: pa.RecordBatch) -> list[str | None]:
    if "created_at" not in batch.schema.names:
        raise BadConfig("`keep` is 'oldest', but these rows have no `created_at`", expected="'longest' or 'first'")
    dates: list[str | None] = batch.column("created_at").to_pylist()
    return dates


def _age(created_at: str | None) -> float:
    """Seconds since 1970; rows without a readable date come last."""
    try:
        moment = datetime.fromisoformat(created_at or "")
    except ValueError:
        return float("inf")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
