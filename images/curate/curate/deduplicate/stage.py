"""Drop exact and near-duplicates.

Reads documents or samples three times: for digests and sketches, for the sets of n-grams of possible duplicates, and to
write. Drops `exact` and `near_duplicate` rows, each with the id of the kept row that it repeats and their similarity;
that row may be one of another dataset (`against`). With `previous`, sketches and decisions of an earlier run are read
instead of made again, and its survivors stay.
"""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from curate.deduplicate.corpus import Corpus, numbered
from curate.deduplicate.facts import Facts
from curate.deduplicate.history import others_of
from curate.deduplicate.judge import judge
from curate.deduplicate.remembered import FILE, remember
from curate.deduplicate.verdicts import EXACT, KEPT, NEAR, RULES, Verdicts
from stagekit.job import Job


def run(job: Job) -> None:
    """Decide over all rows, then write each where it belongs."""
    config: DeduplicateConfig = job.config
    corpus = Corpus(others_of(config), job.input("rows"))
    job.output.rule(EXACT, "Normalised text equal to a kept row's (lower case, white space collapsed)")
    job.output.rule(NEAR, f"Word {config.ngram}-gram set with a Jaccard similarity of {config.threshold:g} or more")
    with tempfile.TemporaryDirectory(dir=job.output.workdir) as name:
        progress = job.progress(corpus.rows, "rows")
        facts, verdicts, ids = judge(corpus, config, job.stage.version, Path(name), progress.add)
        job.output.metrics |= verdicts.metrics
        _write(job, corpus, verdicts, ids)
        if config.remember and config.near and config.engine == "scan":
            _remember(job, facts, verdicts, corpus.first_own)


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
