"""What has to be known of each row before anything is decided: columns of numbers, while the texts stay on disk."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from contract.failures import BadConfig
from curate.deduplicate.bands import bands_for, functions
from curate.deduplicate.shelf import Holder
from curate.room import room
from curate.scan.arrays import F64s, I64s, U8s, U64s
from curate.scan.buffers import Bytes, utf8
from curate.scan.characters import characters
from curate.scan.hashed import folded_digests, text_digests
from curate.scan.ready import Ready
from curate.scan.scratch import scratch_for
from curate.scores import scores_of
from curate.text import column_of, no_such_text, text_column
from stagekit.dataset import Dataset

if TYPE_CHECKING:
    from curate.deduplicate.remembered import Remembered

SKETCHES_OF = Ready("curate.deduplicate.sketches", "sketches_of")


RANKS = {"oldest": "created_at", "best": "scores"}
"""The column that decides before lengths do."""


@dataclass
class Facts:
    """Of each row: digests (two numbers of 64 bits each) of id and whole text, of the normalised text, of the set of
    n-grams; lengths in characters of the text compared and of the whole row; what `keep` goes by before lengths, the
    lowest first; number of n-grams; signature."""

    identity: U64s
    normalised: U64s
    shingled: U64s
    length: I64s
    whole: I64s
    rank: F64s
    size: I64s
    signature: U8s

    def __len__(self) -> int:
        return len(self.size)

    def put(self, first_row: int, part: "Facts") -> None:
        """Take over the facts of some rows, from row `first_row` on."""
        for field in fields(self):
            getattr(self, field.name)[first_row : first_row + len(part)] = getattr(part, field.name)

    def take_over(self, rows: I64s, source: "Facts", places: I64s) -> None:
        """Take from other facts what is computed from the words of a text."""
        for name in ("normalised", "shingled", "size", "signature"):
            getattr(self, name)[rows] = getattr(source, name)[places]


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


def columns_for(config: DeduplicateConfig, dataset: Dataset) -> list[str]:
    """The columns that facts are made from.

    Raises `BadConfig` where a dataset has not the text or the date that the config asks for.
    """
    has = dataset.manifest.columns
    if column_of(config.field) not in has:
        raise no_such_text(config.field, where=dataset.uri)
    rank = RANKS.get(config.keep)
    if rank and rank not in has:
        raise BadConfig(
            f"`keep` is {config.keep!r}, but these rows have no `{rank}`",
            expected="'longest' or 'first'",
            where=dataset.uri,
        )
    return [column_of(config.field), "id", *([rank] if rank else [])]


def facts_of(
    batch: pa.RecordBatch,
    config: DeduplicateConfig,
    before: "Remembered | None" = None,
    holder: Holder | None = None,
) -> Facts:
    """Read one batch; of rows that are remembered from `before` only id and text are read, to know them again.

    `holder` gets the sets of n-grams of the other rows.
    """
    facts = facts_for(batch.num_rows, config)
    texts = utf8(text_column(batch, config.field))
    _identify(batch, texts, facts)
    facts.rank[:] = _ranks(batch, config)
    places = before.places(facts.identity) if before else np.full(len(facts), -1)
    if before:
        known = np.flatnonzero(places >= 0)
        facts.take_over(known, before.facts, places[known])
    fresh = np.flatnonzero(places < 0)
    facts.take_over(fresh, _computed(texts, fresh, config, holder), np.arange(len(fresh)))
    return facts


def _computed(texts: Bytes, rows: I64s, config: DeduplicateConfig, holder: Holder | None) -> Facts:
    """Digest of the normalised text, and size, digest and signature of the n-grams of some rows."""
    facts = facts_for(len(rows), config)
    if config.exact:
        facts.normalised = folded_digests(texts, rows)
    if config.near:
        drawn = functions(facts.signature.shape[1], config.seed)
        most = int(texts.offsets[-1] - texts.offsets[0] + len(rows)) // 2 + 1
        sets = holder.desk(most) if holder else np.empty(0, np.uint64)
        rooms, columns = (np.empty_like(drawn[0]), scratch_for(texts, rows)), (facts.shingled, facts.signature)
        SKETCHES_OF(*texts, rows, characters(), config.ngram, *drawn, *rooms, facts.size, *columns, sets)
        if holder:
            holder.hold(sets[: facts.size.sum()], facts.size)
    return facts


def _identify(batch: pa.RecordBatch, texts: Bytes, facts: Facts) -> None:
    """Digests of whole text and id together, and the lengths of both texts."""
    whole = utf8(text_column(batch, "conversation")) if "messages" in batch.schema.names else texts
    facts.identity, facts.whole = text_digests(whole)
    facts.length = facts.whole if whole is texts else text_digests(texts)[1]
    facts.identity *= np.uint64(3)
    facts.identity ^= text_digests(utf8(batch.column("id")))[0]


def in_order_of_preference(facts: Facts, keep: str) -> I64s:
    """Row numbers, the most wanted first; ties are broken by a hash of text and id, so never by position."""
    if keep == "first":
        return np.arange(len(facts))
    order: I64s = np.lexsort((facts.identity[:, 0], -facts.whole, -facts.length, facts.rank))
    return order


def _ranks(batch: pa.RecordBatch, config: DeduplicateConfig) -> list[float] | float:
    if config.keep == "oldest":
        return [_age(value) for value in batch.column("created_at").to_pylist()]
    if config.keep == "best":
        return [-scores.get(config.score, -inf) for scores in scores_of(batch)]
    return 0.0


def _age(created_at: str | None) -> float:
    """Seconds since 1970; rows without a readable date come last."""
    try:
        moment = datetime.fromisoformat(created_at or "")
    except ValueError:
        return float("inf")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
