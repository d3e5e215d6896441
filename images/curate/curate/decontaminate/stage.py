"""Drop rows that hold benchmark items.

Reads documents or samples, and benchmark files. Drops by the rules `origin`, `exact`, `ngram_coverage`, `any_match`,
`near`, `weighted` and `rephrased`, each row with the item (`benchmark:number`), the rule's value, and the matching
text. Writes `decontamination/<benchmark>.json` and `.html`, and `to_check.jsonl` where the recipe asks for it. Raises
`BadInput` for a benchmark that cannot be read in full.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from contract.config.decontaminate import DecontaminateConfig
from curate.decontaminate import jaccard, weighted
from curate.decontaminate.benchmarks import Item, read_items, read_paraphrases
from curate.decontaminate.matching import (
    ANY_MATCH,
    ANY_WORDS,
    COVERAGE,
    EXACT,
    NEAR,
    REPHRASED,
    WEIGHTED,
    Match,
    Matcher,
    Matches,
    one_per_item,
)
from curate.decontaminate.origins import Origin, origins_of
from curate.decontaminate.page import page
from curate.decontaminate.passages import common, words_in
from curate.decontaminate.recall import measured
from curate.decontaminate.report import Report, reports_of
from curate.decontaminate.to_check import ToCheck
from curate.embed.cache import remembering
from curate.embed.embedder import Embedder
from curate.embed.load import sentence_transformer
from curate.text import text_column
from curate.threads import in_order
from stagekit.job import Job
from stagekit.output import Output
from stagekit.schema import row_ids

ORIGIN = "origin"
PASSAGE = {ANY_MATCH: ANY_WORDS, NEAR: jaccard.WORDS, WEIGHTED: weighted.WORDS, REPHRASED: 2}
"""The least words of a passage to show, by rule; `ngram` for the others."""


class Looked(NamedTuple):
    """A batch of rows with what was found in it, by row number."""

    batch: pa.RecordBatch
    texts: pa.Array
    matches: Matches
    origins: dict[int, Origin]


class Gone(NamedTuple):
    """One dropped row: what the ledger says of it."""

    rule: str
    value: float | str
    threshold: float | str
    partner: str | None
    detail: str | None
    also: list[str]


def run(job: Job) -> None:
    """Look for all items of all benchmarks in every row."""
    config = job.config
    _describe(job.output, config)
    items = [item for benchmark in config.benchmarks for item in read_items(benchmark)]
    with _encoder(job) as encoder:
        _search(job, items, Matcher(items, config, encoder))


@contextmanager
def _encoder(job: Job) -> Iterator[Embedder | None]:
    """The encoder that the config asks for, if any, with a memory of what it encoded in earlier runs."""
    settings = job.config.rephrased and job.config.rephrased.embedding
    if not settings:
        yield None
        return
    encoder = sentence_transformer(settings.model, job.config.workers)
    job.output.metrics["encoder"] = encoder.name
    with remembering(encoder, job.cache("embeddings")) as memory:
        yield memory


def _search(job: Job, items: Sequence[Item], matcher: Matcher) -> None:
    """Look at every row; write rows, ledger and reports."""
    config = job.config
    reports = reports_of(config.benchmarks, items, (matcher.words.lengths > 0).tolist())
    progress = job.progress(job.input("rows").rows, "rows")
    unsure = ToCheck(job.output, items) if config.rephrased and config.rephrased.check is not None else None

    def look(batch: pa.RecordBatch) -> Looked:
        texts = text_column(batch, config.field)
        return Looked(batch, texts, matcher.matches(texts), origins_of(batch, config.origins))

    for looked in in_order(look, job.input("rows").batches(), config.workers):
        _write(job, looked, items, reports)
        progress.add(looked.batch.num_rows)
        if unsure:
            stays = [found for found in looked.matches.unsure if found.row not in looked.origins]
            unsure.add(stays, looked.texts, row_ids(looked.batch))
    if unsure:
        unsure.close()
    if config.measure_recall:
        paraphrases = {benchmark.name: read_paraphrases(benchmark) for benchmark in config.benchmarks}
        for recall in measured(matcher, items, paraphrases):
            reports[recall.benchmark].recall.append(recall)
    _report(job, reports)


def _describe(output: Output, config: DecontaminateConfig) -> None:
    output.rule(ORIGIN, "Comes from a domain, source or licence of evaluations")
    output.rule(EXACT, "Holds every word of a benchmark item in order, or a short item as a whole line")
    output.rule(COVERAGE, f"Covers over {config.coverage:.0%} of an item's words by common {config.ngram}-grams")
    output.rule(ANY_MATCH, f"Shares {ANY_WORDS} words in a row with an item")
    output.rule(NEAR, f"Word 5-gram set with a Jaccard similarity of {config.near or 0:g} or more with an item's")
    output.rule(WEIGHTED, "Holds most of an item's question and answer, rare words weighing more")
    output.rule(REPHRASED, "Says what an item says in other words, by the weights learned for it")


def _write(job: Job, looked: Looked, items: Sequence[Item], reports: dict[str, Report]) -> None:
    batch, ids = looked.batch, row_ids(looked.batch)
    gone = sorted(looked.matches.held.keys() | looked.origins.keys())
    held = np.zeros(batch.num_rows, bool)
    held[gone] = True
    job.output.write(batch.filter(pa.array(~held)), account="rows")
    entries = [_entry(job.config, looked, row, ids[row], items, reports) for row in gone]
    _drop(job.output, batch.take(pa.array(gone, pa.int64())), entries)


def _entry(
    config: DecontaminateConfig, looked: Looked, row: int, name: str, items: Sequence[Item], reports: dict[str, Report]
) -> Gone:
    """What the ledger says of a row that goes; the reports hear of all items that it holds."""
    matches, origin = looked.matches.held.get(row, []), looked.origins.get(row)
    passage = _reported(config, looked, row, name, items, reports) if matches else None
    return _of_origin(origin, matches) if origin else _of_item(matches, items, passage)


def _reported(
    config: DecontaminateConfig, looked: Looked, row: int, name: str, items: Sequence[Item], reports: dict[str, Report]
) -> str | None:
    """Book all items that a row holds; returns the longest passage that it shares with the weightiest one.

    Passages are looked for where somebody sees them: in the ledger's entry, and in a report that is not full.
    """
    read = words_in(looked.texts[row].as_py())
    first: str | None = None
    for place, match in enumerate(one_per_item(looked.matches.held[row])):
        item = items[match.item]
        report = reports[item.benchmark]
        report.count(item, match, removed=place == 0 and row not in looked.origins)
        if place == 0 or not report.full:
            shared = common(read, words_in(item.text), PASSAGE.get(match.rule, config.ngram))
            report.show(item, match, name, read.text, shared)
            first = shared.longest if place == 0 else first
    return first or None


def _of_origin(origin: Origin, matches: Sequence[Match]) -> Gone:
    return Gone(ORIGIN, origin.value, origin.listed, None, None, list(dict.fromkeys(m.rule for m in matches)))


def _of_item(matches: Sequence[Match], items: Sequence[Item], passage: str | None) -> Gone:
    first = matches[0]
    others = [rule for rule in dict.fromkeys(match.rule for match in matches) if rule != first.rule]
    return Gone(first.rule, first.value, first.threshold, items[first.item].name, passage, others)


def _drop(output: Output, batch: pa.RecordBatch, entries: Sequence[Gone]) -> None:
    output.drop(
        batch,
        "rows",
        rule=[entry.rule for entry in entries],
        value=[entry.value for entry in entries],
        threshold=[entry.threshold for entry in entries],
        partner=[entry.partner for entry in entries],
        detail=[entry.detail for entry in entries],
        also=[entry.also for entry in entries],
    )


def _report(job: Job, reports: dict[str, Report]) -> None:
    for name, report in reports.items():
        job.output.add_text(f"decontamination/{name}.json", report.as_json())
        job.output.add_text(f"decontamination/{name}.html", page(report))
        job.output.metrics[f"{name}_items_found"] = len(report.touched)
        job.output.metrics[f"{name}_rows_removed"] = report.rows_removed
        for recall in report.recall:
            job.output.metrics[f"{name}_recall_{recall.kind}"] = round(recall.share, 6)
    job.output.metrics["benchmark_items"] = sum(report.items for report in reports.values())
