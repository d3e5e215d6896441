"""Ask every rule about each row; the first to say no counts."""

from collections import Counter
from typing import Any

import orjson
import pyarrow as pa

from contract.config.filter import FilterConfig
from contract.failures import BadConfig
from curate.filter.row import Finding, Row
from curate.filter.rules import ActiveRule, active_rules, findings
from curate.text import rows_text
from stagekit.job import Job

ACCOUNT = "rows"
AUDIT_FILE = "audit.json"
EXAMPLES = 20
Findings = list[tuple[str, Finding]]


def run(job: Job) -> None:
    """Rows that pass every rule, unchanged. Drops the others under the first rule that says no, the rest in `also`.

    With `audit`, drops nothing. Metrics count what each rule says no to; `audit.json` adds the first rows of each.
    """
    config: FilterConfig = job.config
    rules = active_rules(config)
    for rule in rules:
        job.output.rule(rule.name, rule.description)
    report = _Report(rules)
    rows = job.input("rows")
    progress = job.progress(rows.rows, "rows")
    for batch in rows.batches():
        found = [findings(row, rules) for row in _rows(batch, config)]
        report.add(batch, found)
        _book(job, batch, [[] if config.audit else item for item in found])
        progress.add(batch.num_rows)
    job.output.metrics.update(report.metrics())
    if config.audit:
        job.output.add_text(AUDIT_FILE, report.as_json())


class _Report:
    """Counts of what rules say, and the first rows of each."""

    def __init__(self, rules: list[ActiveRule]) -> None:
        self.rules = rules
        self.hits: Counter[str] = Counter()
        self.rows = 0
        self.examples: dict[str, list[dict[str, Any]]] = {rule.name: [] for rule in rules}

    def add(self, batch: pa.RecordBatch, found: list[Findings]) -> None:
        for row_id, items in zip(batch.column("id").to_pylist(), found, strict=True):
            self.rows += bool(items)
            for rule, finding in items:
                self.hits[rule] += 1
                if len(self.examples[rule]) < EXAMPLES:
                    self.examples[rule].append({"id": row_id, **finding._asdict()})

    def metrics(self) -> dict[str, int]:
        return {"rows_with_findings": self.rows} | {f"{rule.name}_hits": self.hits[rule.name] for rule in self.rules}

    def as_json(self) -> str:
        rules = [
            {"rule": r.name, "description": r.description, "rows": self.hits[r.name], "first": self.examples[r.name]}
            for r in self.rules
        ]
        return orjson.dumps({"rows_with_findings": self.rows, "rules": rules}, option=orjson.OPT_INDENT_2).decode()


def _rows(batch: pa.RecordBatch, config: FilterConfig) -> list[Row]:
    texts = rows_text(batch, config.field)
    licenses = batch.column("license").to_pylist()
    if "messages" not in batch.schema.names:
        if any(config.samples.model_dump().values()):
            raise BadConfig("rules under `samples` on rows that are documents", expected="samples", where="filter")
        return [Row(text, license=license) for text, license in zip(texts, licenses, strict=True)]
    pairs = zip(rows_text(batch, "instruction"), rows_text(batch, "answer"), strict=True)
    return [Row(text, *pair, license) for text, pair, license in zip(texts, pairs, licenses, strict=True)]


def _book(job: Job, batch: pa.RecordBatch, found: list[Findings]) -> None:
    """Write the rows with no finding, drop the others."""
    lost = [items for items in found if items]
    mask = pa.array([not items for items in found])
    if lost:
        first = [items[0] for items in lost]
        job.output.drop(
            batch.filter(pa.array([bool(items) for items in found])),
            ACCOUNT,
            [name for name, _ in first],
            value=[finding.value for _, finding in first],
            threshold=[finding.threshold for _, finding in first],
            also=[[name for name, _ in items[1:]] for items in lost],
        )
    job.output.write(batch.filter(mask), account=ACCOUNT)
