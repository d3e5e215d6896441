"""Run the mappers over each document; drop what they leave empty, and rows with personal data or secrets on request.

Reads documents. Drops by the rules `secrets`, `personal_data`, `too_much_personal_data`, `emptied` and `too_short`.
The ledger holds the row as it came, unless personal data or secrets were found in it: then it holds placeholders too.
Writes `cleaning.json` and `cleaning.html`.
"""

import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa

from contract.config.clean import CleanConfig
from curate.clean.cleaner import Cleaned, Cleaner
from curate.clean.counting import KeyCounter
from curate.clean.furniture import FurnitureLines, Keys
from curate.clean.page import as_html, as_json
from curate.clean.report import Report
from curate.processes import in_order
from stagekit.job import Job

ACCOUNT = "rows"
RULES = {
    "secrets": "holds secrets of a kind that drops the row",
    "personal_data": "holds personal data of a kind that drops the row",
    "too_much_personal_data": "holds more values of personal data than `personal.drop_above`",
    "emptied": "cleaning left no text",
    "too_short": "the cleaned text is shorter than `min_characters`",
}


def run(job: Job) -> None:
    """Documents with cleaned text, in their order."""
    config: CleanConfig = job.config
    for name, description in RULES.items():
        job.output.rule(name, description)
    lines, documents = _recurring_lines(job) if "furniture" in config.mappers else (None, Counter[str]())
    report = Report(config)
    rows = job.input(ACCOUNT)
    progress = job.progress(rows.rows, "rows")
    for cleaned in in_order(Cleaner, (config, lines), rows.batches(), config.workers):
        report.add(cleaned)
        _book(job, cleaned)
        progress.add(cleaned.kept.num_rows + len(cleaned.verdicts))
    job.output.metrics.update(report.metrics())
    facts = report.facts(Cleaner(config, lines).told, documents)
    job.output.add_text("cleaning.json", as_json(facts))
    job.output.add_text("cleaning.html", as_html(facts))


def _recurring_lines(job: Job) -> tuple[FurnitureLines, Counter[str]]:
    """Read all documents once, to know which lines recur."""
    config: CleanConfig = job.config
    rows = job.input(ACCOUNT)
    progress = job.progress(rows.rows, "rows read for recurring lines")
    documents: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
        counter = KeyCounter(Path(folder))
        for keys, number in in_order(_LineReader, (config,), rows.batches(), config.workers):
            counter.add(keys)
            documents += number
            progress.add(number.total())
        return FurnitureLines(config.furniture, documents, *counter.at_least(config.furniture.documents)), documents


class _LineReader:
    """Made once per process: the lines of a batch."""

    def __init__(self, config: CleanConfig) -> None:
        self._cleaner = Cleaner(config)

    def __call__(self, batch: pa.RecordBatch) -> tuple[Keys, Counter[str]]:
        return self._cleaner.lines(batch)


def _book(job: Job, cleaned: Cleaned) -> None:
    if cleaned.verdicts:
        job.output.drop(
            cleaned.dropped,
            ACCOUNT,
            [verdict.rule for verdict in cleaned.verdicts],
            value=[verdict.value for verdict in cleaned.verdicts],
            threshold=[verdict.threshold for verdict in cleaned.verdicts],
            detail=[verdict.detail for verdict in cleaned.verdicts],
            also=[verdict.also for verdict in cleaned.verdicts],
        )
    job.output.write(cleaned.kept, account=ACCOUNT)
