"""Ask every rule about each row; the first to say no counts."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from contract.config.filter import FilterConfig
from contract.failures import BadConfig
from curate.filter import identified
from curate.filter.audit import Report
from curate.filter.files import Files
from curate.filter.rows import Rows, Verdicts
from curate.filter.rules import ActiveRule, active_rules, families
from curate.language import Identifier, Predictions, identifier
from curate.scores import scores_of
from curate.text import rows_text, text_column
from curate.threads import in_order
from stagekit.dataset import Dataset
from stagekit.job import Job

Read: TypeAlias = tuple[pa.RecordBatch, Predictions | None]
ACCOUNT = "rows"
AUDIT_FILE = "audit.json"


class Judged(NamedTuple):
    """A batch, what rules looked at, and what each of them says."""

    batch: pa.RecordBatch
    rows: Rows
    verdicts: list[Verdicts]


def run(job: Job) -> None:
    """Rows that pass every rule; documents get their language where `language.fill` asks for it.

    Drops the others under the first rule that says no, the rest in `also`; with `audit`, drops nothing. Metrics count
    what each rule says no to, languages and code blocks; `audit.json` adds the first rows of each rule and how its
    values are spread. Raises `BadConfig` for rules that rows of this type cannot break.
    """
    config: FilterConfig = job.config
    with tempfile.TemporaryDirectory(prefix="nocturne-filter-") as folder:
        _filter(job, config, Files(Path(folder)))


def _filter(job: Job, config: FilterConfig, files: Files) -> None:
    rules = active_rules(config, files)
    for rule in rules:
        job.output.rule(rule.name, rule.description)
    report, facts = Report(rules, config.audit), Facts(config)
    rows = job.input("rows")
    progress = job.progress(rows.rows, "rows")
    judge = Judge(config, rules, _identifier(config, files))
    for judged in in_order(judge, _read(rows, config, files)):
        report.add(judged.batch.column("id").to_pylist(), judged.verdicts)
        facts.add(judged.rows)
        _book(job, _filled(judged, config), [] if config.audit else judged.verdicts, rules)
        progress.add(judged.batch.num_rows)
    job.output.metrics.update({**report.metrics(), **facts.metrics()})
    if config.audit:
        job.output.add_text(AUDIT_FILE, report.as_json())


def _read(rows: Dataset, config: FilterConfig, files: Files) -> Iterator[Read]:
    """Batches, with their languages where many rows have to be identified."""
    size = sum(shard.bytes for shard in rows.manifest.shards)
    if _identifies(config) and size >= identified.ENOUGH:
        return identified.with_languages(rows.batches(), config.field, _model(config, files))
    return ((batch, None) for batch in rows.batches())


class Judge:
    """Asks all rules about a batch."""

    def __init__(self, config: FilterConfig, rules: list[ActiveRule], identify: Identifier | None) -> None:
        self.config, self.rules, self.identify = config, rules, identify
        self.families = families(config)

    def __call__(self, read: Read) -> Judged:
        """What the rules say of each row of a batch, whose languages may be known."""
        batch, languages = read
        rows = self._rows(batch, (lambda _: languages) if languages else self.identify)
        return Judged(batch, rows, [rule.check(rows) for rule in self.rules])

    def _rows(self, batch: pa.RecordBatch, identify: Identifier | None) -> Rows:
        is_sample = "messages" in batch.schema.names
        if not is_sample and any(self.config.samples.model_dump().values()):
            raise BadConfig("rules under `samples` on rows that are documents", expected="samples", where="filter")
        if self.config.language.fill and "language" not in batch.schema.names:
            raise BadConfig("`language.fill` on rows without a language", expected="documents", where="filter")
        texts = _arrow(text_column(batch, self.config.field))
        asked, answered = (rows_text(batch, name) if is_sample else [] for name in ("instruction", "answer"))
        licenses = batch.column("license").to_pylist()
        scores = scores_of(batch) if self.config.samples.scores else []
        return Rows(texts, licenses, asked, answered, self.families, identify, scores)


class Facts:
    """What was counted beside the rules: languages with their mean confidence, code blocks checked and not."""

    def __init__(self, config: FilterConfig) -> None:
        self.languages, self.code = _identifies(config), config.format.code_parses
        self.counts: Counter[str] = Counter(dict.fromkeys(CODE_FIGURES, 0) if self.code else {})
        self.confidence: Counter[str] = Counter()

    def add(self, rows: Rows) -> None:
        """Count a batch."""
        if self.code:
            self.counts.update(dict(zip(CODE_FIGURES, rows.code[1:], strict=True)))
        if self.languages:
            for label, score in zip(rows.languages.labels, rows.languages.scores.tolist(), strict=True):
                self.counts[f"language_{label or 'none'}"] += 1
                self.confidence[f"language_{label or 'none'}"] += score

    def metrics(self) -> dict[str, float]:
        """Counts, and for each language its mean confidence."""
        means = {f"{name}_confidence": round(total / self.counts[name], 4) for name, total in self.confidence.items()}
        return dict(sorted((dict(self.counts) | means).items()))


CODE_FIGURES = ("code_blocks_checked", "code_blocks_unchecked")


def _arrow(texts: list[str] | pa.Array) -> pa.Array:
    return texts.cast(pa.large_string()) if isinstance(texts, pa.Array) else pa.array(texts, pa.large_string())


def _identifies(config: FilterConfig) -> bool:
    return bool(config.language.allowed or config.language.fill)


def _identifier(config: FilterConfig, files: Files) -> Identifier | None:
    if not _identifies(config):
        return None
    return identifier(_model(config, files))


def _model(config: FilterConfig, files: Files) -> Path | None:
    return files.path(config.language.model) if config.language.model else None


def _filled(judged: Judged, config: FilterConfig) -> pa.RecordBatch:
    """The batch, languages filled in where documents name none and the model is sure."""
    batch = judged.batch
    if not config.language.fill:
        return batch
    found = judged.rows.languages
    sure = [
        label if label and score >= config.language.minimum else None
        for label, score in zip(found.labels, found.scores.tolist(), strict=True)
    ]
    names = batch.column("language").to_pylist()
    filled = pa.array([name or label for name, label in zip(names, sure, strict=True)], pa.string())
    return batch.set_column(batch.schema.get_field_index("language"), batch.schema.field("language"), filled)


def _book(job: Job, batch: pa.RecordBatch, verdicts: list[Verdicts], rules: list[ActiveRule]) -> None:
    """Write the rows with no finding, drop the others."""
    if not verdicts:
        job.output.write(batch, account=ACCOUNT)
        return
    fails = np.stack([verdict.fails for verdict in verdicts])
    lost = np.flatnonzero(fails.any(0)).tolist()
    first = fails.argmax(0)[lost].tolist()
    job.output.drop(
        batch.take(pa.array(lost, pa.int64())),
        ACCOUNT,
        [rules[number].name for number in first],
        value=[verdicts[number].value(row) for number, row in zip(first, lost, strict=True)],
        threshold=[verdicts[number].threshold for number in first],
        also=[
            [rules[other].name for other in np.flatnonzero(fails[:, row]).tolist() if other > number]
            for number, row in zip(first, lost, strict=True)
        ],
    )
    job.output.write(batch.filter(pa.array(~fails.any(0))), account=ACCOUNT)
