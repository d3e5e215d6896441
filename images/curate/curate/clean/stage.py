"""Run the mappers over each document; drop what they leave empty."""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from contract.config.clean import CleanConfig
from curate.clean.mappers import Mapping, mapper
from curate.text import rows_text
from stagekit.job import Job

ACCOUNT = "rows"


@dataclass
class Tally:
    """What one mapper changed: rows, and characters taken out or put in, whichever is more for each row."""

    rows: int = 0
    characters: int = 0

    def add(self, before: str, after: str) -> None:
        """Count one row."""
        if before != after:
            self.rows += 1
            self.characters += changed_characters(before, after)


def run(job: Job) -> None:
    """Documents with cleaned text. Drops `emptied` and `too_short` ones, the uncleaned row to the ledger."""
    job.output.rule("emptied", "cleaning left no text")
    job.output.rule("too_short", "the cleaned text is shorter than `min_characters`")
    config = job.config
    mappers = [(name, mapper(name, config.boilerplate), Tally()) for name in config.mappers]
    rows = job.input("rows")
    progress = job.progress(rows.rows, "rows")
    for batch in rows.batches():
        _book(job, batch, [_map(text, mappers) for text in rows_text(batch, "text")])
        progress.add(batch.num_rows)
    for name, _, tally in mappers:
        job.output.metrics |= {f"{name}_rows": tally.rows, f"{name}_characters": tally.characters}


def changed_characters(before: str, after: str) -> int:
    """How many characters were taken out or put in, whichever is more; moved characters do not count."""
    left, right = Counter(before), Counter(after)
    return max((left - right).total(), (right - left).total())


def _map(text: str, mappers: list[tuple[str, Mapping, Tally]]) -> str:
    for _, change, tally in mappers:
        changed = change(text)
        tally.add(text, changed)
        text = changed
    return text


def _book(job: Job, batch: pa.RecordBatch, texts: list[str]) -> None:
    config: CleanConfig = job.config
    lengths = [len(text) for text in texts]
    enough = pa.array([length >= config.min_characters for length in lengths])
    short = batch.filter(pc.invert(enough))
    if short.num_rows:
        values = [length for length in lengths if length < config.min_characters]
        rules = ["too_short" if value else "emptied" for value in values]
        job.output.drop(short, ACCOUNT, rules, value=values, threshold=config.min_characters)
    cleaned = batch.set_column(batch.schema.get_field_index("text"), "text", pa.array(texts, pa.string()))
    job.output.write(cleaned.filter(enough), account=ACCOUNT)
