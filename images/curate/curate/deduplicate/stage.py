"""Drop exact and near-duplicates.

Reads documents or samples three times: for digests and sketches, for the shingle sets of possible duplicates, and to
write. Drops `exact` and `near_duplicate` rows, each with the id of the kept row that it repeats and their similarity.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from curate.deduplicate.facts import Facts, facts_of, joined
from curate.deduplicate.minhash import Engine, Scan, bands_for
from curate.deduplicate.survivors import KEPT
from curate.deduplicate.verdicts import EXACT, NEAR, Verdicts, decide
from curate.shingles import Indices, Ragged, join, shingle_sets
from curate.text import rows_text
from curate.threads import in_order
from stagekit.dataset import Dataset
from stagekit.job import Job
from stagekit.schema import row_ids


def run(job: Job) -> None:
    """Decide over all rows, then write each where it belongs."""
    config, rows = job.config, job.input("rows")
    job.output.rule(EXACT, "Normalised text equal to a kept row's (lower case, white space collapsed)")
    job.output.rule(NEAR, f"Word {config.ngram}-gram set with a Jaccard similarity of {config.threshold:g} or more")
    engine = _engine(config)
    facts, ids = _read(job, rows, engine)
    verdicts = decide(facts, config, lambda some: _sets(rows, some, config), engine)
    job.output.metrics |= verdicts.metrics
    _write(job, rows, verdicts, ids)


def _engine(config: DeduplicateConfig) -> Engine:
    cut = bands_for(config.threshold)
    if config.engine == "datasketch":
        from curate.deduplicate.library import Library

        return Library(cut, config.seed)
    return Scan(cut, config.seed)


def _read(job: Job, rows: Dataset, engine: Engine) -> tuple[Facts, list[str]]:
    parts, ids = [], []
    progress = job.progress(rows.rows, "rows")

    def read(item: tuple[int, pa.RecordBatch]) -> tuple[Facts, list[str]]:
        first_row, batch = item
        return facts_of(batch, job.config, engine, first_row), row_ids(batch)

    for facts, names in in_order(read, _numbered(rows), job.config.workers):
        parts.append(facts)
        ids += names
        progress.add(len(names))
    return joined(parts), ids


def _sets(rows: Dataset, some: Indices, config: DeduplicateConfig) -> Ragged:
    """Shingle sets of the rows with these numbers, in the order asked for."""
    wanted = np.zeros(rows.rows, bool)
    wanted[some] = True

    def read(item: tuple[int, pa.RecordBatch]) -> Ragged:
        first_row, batch = item
        chosen = batch.filter(pa.array(wanted[first_row : first_row + batch.num_rows]))
        return shingle_sets(rows_text(chosen, config.field), config.ngram)

    sets = join(list(in_order(read, _numbered(rows), config.workers)))
    return sets.take(np.searchsorted(np.flatnonzero(wanted), some))


def _write(job: Job, rows: Dataset, verdicts: Verdicts, ids: list[str]) -> None:
    for first_row, batch in _numbered(rows):
        partners = verdicts.partner[first_row : first_row + batch.num_rows]
        kept = pa.array(partners == KEPT)
        job.output.write(batch.filter(kept), account="rows")
        gone = np.flatnonzero(partners != KEPT)
        dropped = (gone + first_row).tolist()
        job.output.drop(
            batch.take(pa.array(gone)),
            "rows",
            rule=[verdicts.rule[row] for row in dropped],
            value=[verdicts.similarity[row] for row in dropped],
            threshold=[1.0 if verdicts.rule[row] == EXACT else job.config.threshold for row in dropped],
            partner=[ids[verdicts.partner[row]] for row in dropped],
        )


def _numbered(rows: Dataset) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches with the number of their first row."""
    first_row = 0
    for batch in rows.batches():
        yield first_row, batch
        first_row += batch.num_rows
