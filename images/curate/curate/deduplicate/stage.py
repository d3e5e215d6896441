"""Drop exact and near-duplicates.

Reads documents or samples three times: for digests and sketches, for the sets of n-grams of possible duplicates, and to
write. Drops `exact` and `near_duplicate` rows, each with the id of the kept row that it repeats and their similarity.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from curate.deduplicate.facts import Facts, columns_for, facts_for, facts_of
from curate.deduplicate.verdicts import EXACT, KEPT, NEAR, RULES, Verdicts, decide
from curate.room import room
from curate.scan.arrays import I64s
from curate.scan.buffers import utf8
from curate.scan.characters import characters
from curate.shingles import Ragged, offsets_of
from curate.text import column_of, text_column
from curate.threads import in_order
from stagekit.dataset import Dataset
from stagekit.job import Job


def run(job: Job) -> None:
    """Decide over all rows, then write each where it belongs."""
    config, rows = job.config, job.input("rows")
    job.output.rule(EXACT, "Normalised text equal to a kept row's (lower case, white space collapsed)")
    job.output.rule(NEAR, f"Word {config.ngram}-gram set with a Jaccard similarity of {config.threshold:g} or more")
    with tempfile.TemporaryDirectory(dir=job.output.workdir) as name:
        folder = Path(name)
        facts, ids = _read(job, rows, folder)
        verdicts = decide(facts, config, lambda some: _sets(rows, some, facts, config, folder), folder)
    job.output.metrics |= verdicts.metrics
    _write(job, rows, verdicts, ids)


def _read(job: Job, rows: Dataset, folder: Path) -> tuple[Facts, pa.Array]:
    """The facts of all rows, and their ids."""
    facts, ids = facts_for(rows.rows, job.config, folder), []
    progress = job.progress(rows.rows, "rows")
    columns = columns_for(job.config, list(rows.manifest.columns))

    def read(item: tuple[int, pa.RecordBatch]) -> pa.Array:
        first_row, batch = item
        facts.put(first_row, facts_of(batch, job.config))
        return batch.column("id").cast(pa.large_string())

    for names in in_order(read, _numbered(rows, columns), job.config.workers):
        ids.append(names)
        progress.add(len(names))
    return facts, pa.concat_arrays(ids) if ids else pa.array([], pa.large_string())


def _sets(rows: Dataset, some: I64s, facts: Facts, config: DeduplicateConfig, folder: Path) -> Ragged:
    """Sets of n-grams of the rows with these ascending numbers."""
    offsets = offsets_of(facts.size[some])
    values = room(int(offsets[-1]), np.uint64, folder)

    def read(item: tuple[int, pa.RecordBatch]) -> None:
        from curate.scan.sets import sets_of

        first_row, batch = item
        start, end = np.searchsorted(some, [first_row, first_row + batch.num_rows])
        if start < end:
            texts = utf8(text_column(batch, config.field))
            sets_of(*texts, some[start:end] - first_row, characters(), config.ngram, offsets[start:end], values)

    for _ in in_order(read, _numbered(rows, [column_of(config.field)]), config.workers):
        pass
    return Ragged(values, offsets)


def _write(job: Job, rows: Dataset, verdicts: Verdicts, ids: pa.Array) -> None:
    for first_row, batch in _numbered(rows, None):
        partners = verdicts.partner[first_row : first_row + batch.num_rows]
        kept = partners == KEPT
        job.output.write(batch.filter(pa.array(kept)), account="rows")
        gone = np.flatnonzero(~kept) + first_row
        rules = [RULES[rule] for rule in verdicts.rule[gone].tolist()]
        job.output.drop(
            batch.filter(pa.array(~kept)),
            "rows",
            rule=rules,
            value=verdicts.similarity[gone].tolist(),
            threshold=[1.0 if rule == EXACT else job.config.threshold for rule in rules],
            partner=ids.take(pa.array(verdicts.partner[gone])).to_pylist(),
        )


def _numbered(rows: Dataset, columns: list[str] | None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches with the number of their first row."""
    first_row = 0
    for batch in rows.batches(columns=columns):
        yield first_row, batch
        first_row += batch.num_rows
