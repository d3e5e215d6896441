"""Drop rows that hold benchmark items.

Reads documents or samples, and benchmark files. Drops by the rules `exact`, `ngram_coverage` and `any_match`, each row
with the item (`benchmark:number`), the share of its words that the row covers, and the matching text. Writes
`decontamination/<benchmark>.json` and `.html`. Raises `BadInput` for a benchmark that cannot be read in full.
"""

import numpy as np
import pyarrow as pa

from curate.decontaminate.benchmarks import Item, read_items
from curate.decontaminate.matching import ANY_MATCH, ANY_WORDS, COVERAGE, EXACT, Match, Matcher
from curate.decontaminate.report import Report, reports_of
from curate.text import rows_text
from curate.threads import in_order
from stagekit.job import Job
from stagekit.schema import row_ids

Batch = tuple[pa.RecordBatch, list[str], list[list[Match]]]


def run(job: Job) -> None:
    """Look for all items of all benchmarks in every row."""
    config = job.config
    job.output.rule(EXACT, "Holds every word of a benchmark item in order, or a short item as a whole line")
    job.output.rule(COVERAGE, f"Covers over {config.coverage:.0%} of an item's words by common {config.ngram}-grams")
    job.output.rule(ANY_MATCH, f"Shares {ANY_WORDS} words in a row with an item")
    items = [item for benchmark in config.benchmarks for item in read_items(benchmark)]
    matcher = Matcher(items, config)
    reports = reports_of(config.benchmarks, items, (matcher.words.lengths > 0).tolist())
    progress = job.progress(job.input("rows").rows, "rows")

    def look(batch: pa.RecordBatch) -> Batch:
        texts = rows_text(batch, config.field)
        return batch, texts, matcher.matches(texts)

    for batch, texts, matches in in_order(look, job.input("rows").batches(), config.workers):
        _write(job, batch, texts, matches, items, matcher, reports)
        progress.add(batch.num_rows)
    _report(job, reports)


def _write(
    job: Job,
    batch: pa.RecordBatch,
    texts: list[str],
    matches: list[list[Match]],
    items: list[Item],
    matcher: Matcher,
    reports: dict[str, Report],
) -> None:
    held = np.array([bool(some) for some in matches], bool)
    job.output.write(batch.filter(pa.array(~held)), account="rows")
    ids, gone = row_ids(batch), np.flatnonzero(held).tolist()
    passages: dict[int, str] = {}
    for row in gone:
        for place, match in enumerate(_one_per_item(matches[row])):
            passage = matcher.passage(texts[row], match.item)
            passages.setdefault(row, passage)
            item = items[match.item]
            reports[item.benchmark].add(item, match, ids[row], texts[row], passage, removed=place == 0)
    first = [matches[row][0] for row in gone]
    job.output.drop(
        batch.take(pa.array(gone, pa.int64())),
        "rows",
        rule=[match.rule for match in first],
        value=[match.value for match in first],
        threshold=[match.threshold for match in first],
        partner=[items[match.item].name for match in first],
        detail=[passages[row] for row in gone],
        also=[_other_rules(matches[row]) for row in gone],
    )


def _one_per_item(matches: list[Match]) -> list[Match]:
    """The weightiest match of each item."""
    best: dict[int, Match] = {}
    for match in matches:
        best.setdefault(match.item, match)
    return list(best.values())


def _other_rules(matches: list[Match]) -> list[str]:
    return [rule for rule in dict.fromkeys(match.rule for match in matches) if rule != matches[0].rule]


def _report(job: Job, reports: dict[str, Report]) -> None:
    for name, report in reports.items():
        job.output.add_text(f"decontamination/{name}.json", report.as_json())
        job.output.add_text(f"decontamination/{name}.html", report.as_html())
        job.output.metrics[f"{name}_items_found"] = len(report.touched)
        job.output.metrics[f"{name}_rows_removed"] = report.rows_removed
    job.output.metrics["benchmark_items"] = sum(report.items for report in reports.values())
