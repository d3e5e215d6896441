"""Drop exact, near and semantic duplicates, and find long passages that rows share.

Reads documents or samples three times: for digests and sketches, for the sets of n-grams of possible duplicates, and to
write; `semantic` and `substring` read them two more times each. Drops `exact`, `near_duplicate`, `semantic_duplicate`
and `mostly_shared` rows, each with the id of the kept row that it repeats and their similarity (or the share of its
words that kept rows hold); that row may be one of another dataset (`against`). Passages cut from kept rows are entries
of the account `passages`. Writes `duplicates.json` and `.html`, and `passages.jsonl` where passages are only reported.
With `previous`, sketches and decisions of an earlier run are read instead of made again, and its survivors stay.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from contract.config.substring import Substring
from curate.deduplicate.clusters import Clusters
from curate.deduplicate.corpus import Corpus, numbered
from curate.deduplicate.facts import Facts
from curate.deduplicate.history import others_of
from curate.deduplicate.judge import Judged, judge
from curate.deduplicate.page import page
from curate.deduplicate.remembered import FILE, remember
from curate.deduplicate.substring import Passages
from curate.deduplicate.trim import ACCOUNT, CUT, ledger, listed, longest, passages_in, trimmed
from curate.deduplicate.verdicts import EXACT, KEPT, NEAR, PASSAGES, RULES, SEMANTIC, Verdicts
from curate.scan.arrays import I64s
from curate.text import text_column
from stagekit.job import Job

LISTED = "passages.jsonl"


def run(job: Job) -> None:
    """Decide over all rows, then write each where it belongs."""
    config: DeduplicateConfig = job.config
    corpus = Corpus(others_of(config), job.input("rows"))
    _describe(job, config)
    with tempfile.TemporaryDirectory(dir=job.output.workdir) as name:
        progress = job.progress(corpus.rows, "rows")
        judged = judge(corpus, config, job.stage.version, Path(name), progress.add, job.cache("embeddings"))
        job.output.metrics |= judged.verdicts.metrics
        _write(job, corpus, judged)
        if config.remember and config.near and config.engine == "scan":
            _remember(job, judged.facts, judged.verdicts, corpus.first_own)


def _describe(job: Job, config: DeduplicateConfig) -> None:
    job.output.rule(EXACT, "Normalised text equal to a kept row's (lower case, white space collapsed)")
    job.output.rule(NEAR, f"Word {config.ngram}-gram set with a Jaccard similarity of {config.threshold:g} or more")
    if config.semantic:
        job.output.rule(SEMANTIC, f"Vector with a cosine of {config.semantic.threshold:g} or more to a kept row's")
    if config.substring:
        length = f"passages of {config.substring.length} words or more"
        job.output.rule(PASSAGES, f"Consists, but for {_room(config.substring)}, of {length} that stand in kept rows")
        job.output.rule(CUT, f"Of {length} that stand in two rows, the one in the less wanted row")
        job.output.books.open(ACCOUNT)


def _write(job: Job, corpus: Corpus, judged: Judged) -> None:
    """Rows and ledger in the order of the input, and the reports beside them."""
    config: DeduplicateConfig = job.config
    clusters = Clusters(judged.verdicts, judged.ids)
    with (job.output.workdir / LISTED).open("w", encoding="utf-8", errors="surrogatepass") as lines:
        for first_row, batch in numbered(corpus.own, corpus.first_own, None):
            clusters.read(first_row, text_column(batch, config.field))
            kept = judged.verdicts.partner[first_row : first_row + batch.num_rows] == KEPT
            whole = passages_in(batch, first_row, judged.passages).of_kept(judged.verdicts.partner)
            _write_kept(job, batch, first_row, kept, whole, judged.ids)
            _write_gone(job, batch, np.flatnonzero(~kept), first_row, judged)
            if config.substring and config.substring.action == "report":
                lines.writelines(listed(batch, first_row, whole, judged.ids, config.field))
    if config.substring and config.substring.action == "report":
        job.output.add_file(LISTED)
    found = clusters.facts()
    job.output.add_text("duplicates.json", json.dumps(found, indent=1, ensure_ascii=False))
    job.output.add_text("duplicates.html", page(found))


def _write_kept(
    job: Job, batch: pa.RecordBatch, first_row: int, kept: npt.NDArray[np.bool_], passages: Passages, ids: pa.Array
) -> None:
    """Kept rows, without the passages that are cut."""
    config: DeduplicateConfig = job.config
    if len(passages) and config.substring and config.substring.action == "cut":
        job.output.books.open(ACCOUNT, len(passages))
        job.output.enter(ledger(batch, first_row, passages, ids, config.substring))
        batch = trimmed(batch, first_row, passages)
    job.output.write(batch.filter(pa.array(kept)), account="rows")


def _write_gone(job: Job, batch: pa.RecordBatch, gone: I64s, first_row: int, judged: Judged) -> None:
    """Dropped rows with the kept row that each repeats."""
    rows, verdicts = gone + first_row, judged.verdicts
    partners, rules = verdicts.partner[rows], [RULES[rule] for rule in verdicts.rule[rows].tolist()]
    thresholds = _thresholds(job.config)
    pairs = zip(rules, rows.tolist(), partners.tolist(), strict=True)
    job.output.drop(
        batch.take(pa.array(gone)),
        "rows",
        rule=rules,
        value=verdicts.similarity[rows].tolist(),
        threshold=[thresholds[rule] for rule in rules],
        partner=judged.ids.take(pa.array(partners)).to_pylist(),
        detail=[longest(judged.passages, row, other) if rule == PASSAGES else None for rule, row, other in pairs],
    )


def _thresholds(config: DeduplicateConfig) -> dict[str, float | str]:
    thresholds: dict[str, float | str] = {EXACT: 1.0, NEAR: config.threshold}
    if config.semantic:
        thresholds[SEMANTIC] = config.semantic.threshold
    if config.substring:
        thresholds[PASSAGES] = _room(config.substring)
    return thresholds


def _room(config: Substring) -> str:
    """What a row must have of its own to stay."""
    return f"{config.minimum} words" if config.action == "cut" else f"{1 - config.share:.6g} of its words"


def _remember(job: Job, facts: Facts, verdicts: Verdicts, first_own: int) -> None:
    """Keep facts and verdicts beside the rows; out of the content hash, since they tell of dropped rows too."""
    path = job.output.workdir / FILE
    remember(path, facts, verdicts, first_own)
    job.output.metrics["remembered_bytes"] = path.stat().st_size
    job.output.add_file(FILE, hashed=False)
