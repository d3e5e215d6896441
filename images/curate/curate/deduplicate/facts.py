"""What has to be known of each row before anything is decided: columns of numbers, while the texts stay on disk."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from contract.failures import BadConfig
from curate.deduplicate.bands import bands_for, functions
from curate.room import room
from curate.scan.arrays import F64s, I64s, U8s, U64s
from curate.scan.buffers import Bytes, utf8
from curate.scan.characters import characters
from curate.text import column_of, text_column


@dataclass
class Facts:
    """Of each row: digests (two numbers of 64 bits each) of id and whole text, of the normalised text, of the set of
    n-grams; lengths in characters of the text compared and of the whole row; age in seconds since 1970; number of
    n-grams; signature."""

    identity: U64s
    normalised: U64s
    shingled: U64s
    length: I64s
    whole: I64s
    created: F64s
    size: I64s
    signature: U8s

    def __len__(self) -> int:
        return len(self.size)

    def put(self, first_row: int, part: "Facts") -> None:
        """Take over the facts of some rows, from row `first_row` on."""
        for field in fields(self):
            getattr(self, field.name)[first_row : first_row + len(part)] = getattr(part, field.name)


def facts_for(rows: int, config: DeduplicateConfig, folder: Path | None = None) -> Facts:
    """Room for the facts of so many rows; what is large lies in files in `folder`."""
    width = bands_for(config.threshold).functions if config.near and config.engine == "scan" else 0
    return Facts(
        room((rows, 2), np.uint64, folder),
        room((rows, 2), np.uint64, folder),
        room((rows, 2), np.uint64, folder),
        np.zeros(rows, np.int64),
        np.zeros(rows, np.int64),
        np.zeros(rows),
        np.zeros(rows, np.int64),
        room((rows, width), np.uint8, folder),
    )


def columns_for(config: DeduplicateConfig, names: Sequence[str]) -> list[str] | None:
    """The columns that facts are made from; None where the text's own is not among them (and reading will say so)."""
    wanted = [column_of(config.field), "id", *(["created_at"] if config.keep == "oldest" else [])]
    return wanted if set(wanted) <= set(names) else None


def facts_of(batch: pa.RecordBatch, config: DeduplicateConfig) -> Facts:
    """Read one batch."""
    from curate.scan.digests import digests_of_all, folded_digests_of

    facts = facts_for(batch.num_rows, config)
    texts = utf8(text_column(batch, config.field))
    _identify(batch, texts, facts)
    rows = np.arange(batch.num_rows)
    if config.field != "text":
        digests_of_all(*texts, np.empty_like(facts.identity), facts.length)
    if config.exact:
        folded_digests_of(*texts, rows, characters(), facts.normalised)
    if config.near:
        _sketch(texts, rows, config, facts)
    if config.keep == "oldest":
        facts.created[:] = [_age(value) for value in _created(batch)]
    return facts


def _identify(batch: pa.RecordBatch, texts: Bytes, facts: Facts) -> None:
    """Digests of whole text and id together, and the lengths of both texts."""
    from curate.scan.digests import digests_of_all

    whole = utf8(text_column(batch, "conversation")) if "messages" in batch.schema.names else texts
    digests_of_all(*whole, facts.identity, facts.whole)
    facts.length[:] = facts.whole
    ids = np.empty_like(facts.identity)
    digests_of_all(*utf8(batch.column("id")), ids, np.empty_like(facts.length))
    facts.identity *= np.uint64(3)
    facts.identity ^= ids


def _sketch(texts: Bytes, rows: I64s, config: DeduplicateConfig, facts: Facts) -> None:
    from curate.deduplicate.sketches import sketches_of

    drawn = functions(facts.signature.shape[1], config.seed)
    sketches_of(*texts, rows, characters(), config.ngram, *drawn, facts.size, facts.shingled, facts.signature)


def in_order_of_preference(facts: Facts, keep: str) -> I64s:
    """Row numbers, the most wanted first; ties are broken by a hash of text and id, so never by position."""
    if keep == "first":
        return np.arange(len(facts))
    order: I64s = np.lexsort((facts.identity[:, 0], -facts.whole, -facts.length, facts.created))
    return order


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
