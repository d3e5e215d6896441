"""Judge all rows of a corpus: read what has to be known of them, then decide."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from curate.deduplicate.corpus import Corpus, numbered
from curate.deduplicate.facts import Facts, columns_for, facts_for, facts_of
from curate.deduplicate.history import history_of, start_of
from curate.deduplicate.remembered import Remembered, remembered
from curate.deduplicate.shelf import Sets, Shelf
from curate.deduplicate.substring import NO_PASSAGES, Passages
from curate.deduplicate.verdicts import Verdicts, decide
from curate.room import room
from curate.scan.arrays import I64s
from curate.scan.buffers import utf8
from curate.scan.characters import characters
from curate.scan.ready import Ready
from curate.scan.scratch import scratch_for
from curate.shingles import offsets_of
from curate.text import column_of, text_column
from curate.threads import in_order
from stagekit.dataset import Dataset
from stagekit.store import Store

SETS_OF = Ready("curate.scan.sets", "sets_of")


class Judged(NamedTuple):
    """Facts, verdict and id of each row of a corpus, and the passages that rows share, by row."""

    facts: Facts
    verdicts: Verdicts
    ids: pa.Array
    passages: Passages


def judge(
    corpus: Corpus,
    config: DeduplicateConfig,
    version: int,
    folder: Path,
    seen: Callable[[int], None],
    cache: Store | None = None,
) -> Judged:
    """Judge the rows of a corpus; what is large lies in `folder`, and `seen` hears of rows that have been read.

    `cache` keeps vectors for later runs. Passages come last: each has to stand in a row that is kept in the end.
    """
    history = history_of(config, version)
    before = history.before if history else None
    shelf = Shelf()
    facts, ids = _read(corpus, config, version, folder, before, shelf, seen)
    start = start_of(facts, corpus.first_own, history, folder)
    verdicts = decide(facts, config, lambda some: shelf.sets(some) or _sets(corpus, some, facts, config, folder), start)
    verdicts.metrics["remembered_rows"] = before.known(facts.identity[corpus.first_own :]) if before else 0
    order = start.order(facts, config.keep)
    if config.semantic:
        from curate.deduplicate.meaning import fold_meanings

        fold_meanings(corpus, facts, config, start, order, cache)
    passages = NO_PASSAGES
    if config.substring:
        from curate.deduplicate.repeats import fold_passages

        passages = fold_passages(corpus, facts, config, start, order)
    return Judged(facts, verdicts, ids, passages)


def _read(
    corpus: Corpus,
    config: DeduplicateConfig,
    version: int,
    folder: Path,
    before: Remembered | None,
    shelf: Shelf,
    seen: Callable[[int], None],
) -> tuple[Facts, pa.Array]:
    """The facts of all rows, and their ids."""
    facts, ids = facts_for(corpus.rows, config, folder), []
    for first_row, dataset in corpus.starts():
        settings, known = config, before
        if dataset is not corpus.own:  # never in question, so without a place in the order of preference
            settings, known = (
                config.model_copy(update={"keep": "longest"}),
                remembered(dataset, config, version),
            )
        for names in _read_one(dataset, first_row, facts, settings, known, shelf):
            ids.append(names)
            seen(len(names))
    return facts, pa.concat_arrays(ids) if ids else pa.array([], pa.large_string())


def _read_one(
    dataset: Dataset, first_row: int, facts: Facts, config: DeduplicateConfig, known: Remembered | None, shelf: Shelf
) -> Iterator[pa.Array]:
    def read(item: tuple[int, pa.RecordBatch]) -> pa.Array:
        first, batch = item
        facts.put(first, facts_of(batch, config, known, None if known else shelf.holder(first)))
        return batch.column("id").cast(pa.large_string())

    return in_order(read, numbered(dataset, first_row, columns_for(config, dataset)), config.workers)


def _sets(corpus: Corpus, some: I64s, facts: Facts, config: DeduplicateConfig, folder: Path) -> Sets:
    """Sets of n-grams of the rows with these ascending numbers."""
    offsets = offsets_of(facts.size[some])
    values = room(int(offsets[-1]), np.uint64, folder)

    def read(item: tuple[int, pa.RecordBatch]) -> None:
        first_row, batch = item
        start, end = np.searchsorted(some, [first_row, first_row + batch.num_rows])
        if start < end:
            texts, rows = utf8(text_column(batch, config.field)), some[start:end] - first_row
            scratch = scratch_for(texts, rows)
            SETS_OF(*texts, rows, characters(), config.ngram, scratch, offsets[start:end], values)

    for _ in in_order(read, corpus.batches([column_of(config.field)]), config.workers):
        pass
    return Sets(values, offsets[:-1])
