"""Drop exact and near-duplicates.

Reads documents or samples three times: for digests and sketches, for the sets of n-grams of possible duplicates, and to
write. Drops `exact` and `near_duplicate` rows, each with the id of the kept row that it repeats and their similarity;
that row may be one of another dataset (`against`). With `previous`, sketches and decisions of an earlier run are read
instead of made again, and its survivors stay.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from curate.deduplicate.corpus import Corpus, numbered
from curate.deduplicate.facts import Facts, columns_for, facts_for, facts_of
from curate.deduplicate.history import history_of, others_of, start_of
from curate.deduplicate.remembered import FILE, Remembered, remember, remembered
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
    config: DeduplicateConfig = job.config
    corpus = Corpus(others_of(config), job.input("rows"))
    job.output.rule(EXACT, "Normalised text equal to a kept row's (lower case, white space collapsed)")
    job.output.rule(NEAR, f"Word {config.ngram}-gram set with a Jaccard similarity of {config.threshold:g} or more")
    history = history_of(config, job.stage.version)
    with tempfile.TemporaryDirectory(dir=job.output.workdir) as name:
        folder = Path(name)
        facts, ids = _read(job, corpus, folder, history.before if history else None)
        start = start_of(facts, corpus.first_own, history, folder)
        verdicts = decide(facts, config, lambda some: _sets(corpus, some, facts, config, folder), start)
        known = history.known(facts.identity[corpus.first_own :]) if history else 0
        job.output.metrics |= verdicts.metrics | {"remembered_rows": known}
        _write(job, corpus, verdicts, ids)
        if config.remember and config.near and config.engine == "scan":
            _remember(job, facts, verdicts, corpus.first_own)


def _read(job: Job, corpus: Corpus, folder: Path, before: Remembered | None) -> tuple[Facts, pa.Array]:
    """The facts of all rows, and their ids."""
    config: DeduplicateConfig = job.config
    facts, ids = facts_for(corpus.rows, config, folder), []
    progress = job.progress(corpus.rows, "rows")
    for first_row, dataset in corpus.starts():
        settings, known = config, before
        if dataset is not corpus.own:  # never in question, so without a place in the order of preference
            settings, known = (
                config.model_copy(update={"keep": "longest"}),
                remembered(dataset, config, job.stage.version),
            )
        for names in _read_one(dataset, first_row, facts, settings, known):
            ids.append(names)
            progress.add(len(names))
    return facts, pa.concat_arrays(ids) if ids else pa.array([], pa.large_string())


def _read_one(
    dataset: Dataset, first_row: int, facts: Facts, config: DeduplicateConfig, known: Remembered | None
) -> Iterator[pa.Array]:
    def read(item: tuple[int, pa.RecordBatch]) -> pa.Array:
        first, batch = item
        facts.put(first, facts_of(batch, config, known))
        return batch.column("id").cast(pa.large_string())

    return in_order(read, numbered(dataset, first_row, columns_for(config, dataset)), config.workers)


def _sets(corpus: Corpus, some: I64s, facts: Facts, config: DeduplicateConfig, folder: Path) -> Ragged:
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

    for _ in in_order(read, corpus.batches([column_of(config.field)]), config.workers):
        pass
    return Ragged(values, offsets)


def _write(job: Job, corpus: Corpus, verdicts: Verdicts, ids: pa.Array) -> None:
    for first_row, batch in numbered(corpus.own, corpus.first_own, None):
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


def _remember(job: Job, facts: Facts, verdicts: Verdicts, first_own: int) -> None:
    """Keep facts and verdicts beside the rows; out of the content hash, since they tell of dropped rows too."""
    path = job.output.workdir / FILE
    remember(path, facts, verdicts, first_own)
    job.output.metrics["remembered_bytes"] = path.stat().st_size
    job.output.add_file(FILE, hashed=False)
