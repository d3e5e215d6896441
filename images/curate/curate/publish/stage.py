"""Split without leaks, and write the formats people load.

Reads samples, the report of explore and the preferences of evolve where there are any. Drops no sample; a preference
whose sample was dropped or changed before stays behind, in the ledger. Writes the samples with `split` set, one folder
per layout with `train.jsonl` and `test.jsonl`, the same for preferences, `README.md` (the dataset card) and
`report.html`. Raises
`BadInput` where no leak-safe test split exists. Moving `latest` is `conclude.py`'s work.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

import orjson
import pyarrow as pa

from contract.failures import BadInput
from contract.keys import digest
from contract.records import Sample
from curate.publish.card import Statistics, card
from curate.publish.layouts import LAYOUTS
from curate.publish.preferences import Preferences
from curate.publish.split import Split, leaks, split
from curate.shingles import Indices, Ragged, join, shingle_sets
from curate.similar import links
from curate.text import rows_text
from stagekit.job import Job
from stagekit.schema import to_rows

NGRAM = 5
FIELDS = ("instruction", "answer")
REPORT = ("report.html", "report.json")


def run(job: Job) -> None:
    """Split, write, describe."""
    pairs, result = _split(job)
    assert not leaks(result, pairs), "a group was torn apart"
    statistics, preferences = Statistics(), Preferences(job)
    with ExitStack() as files:
        _write(job, result, statistics, _Files(job, files), preferences)
    preferences.write()
    for layout in job.config.formats:
        job.output.add_folder(layout)
    name = os.environ.get("NOCTURNE_RECIPE") or "dataset"
    job.output.add_text("README.md", card(statistics, job.config, name, preferences.splits))
    _ship_report(job)
    job.output.metrics |= _metrics(statistics, result)


class _Files:
    """One open JSON-lines file per layout and split, made when its first line comes."""

    def __init__(self, job: Job, stack: ExitStack) -> None:
        self.root, self.layouts, self.stack = job.output.workdir, job.config.formats, stack
        self.open: dict[str, BinaryIO] = {}

    def write(self, sample: Sample) -> None:
        """Append a sample to the file of its split, in each layout."""
        for layout in self.layouts:
            for line in LAYOUTS[layout](sample):
                self._file(f"{layout}/{sample.split}.jsonl").write(orjson.dumps(line) + b"\n")

    def _file(self, name: str) -> BinaryIO:
        if name not in self.open:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self.open[name] = self.stack.enter_context(path.open("wb"))
        return self.open[name]


def _split(job: Job) -> tuple[list[tuple[Indices, Indices]], Split]:
    units: list[str] = []
    sets: dict[str, list[Ragged]] = {name: [] for name in FIELDS}
    for batch in job.input("rows").batches():
        units += _units(batch)
        for name in FIELDS:
            sets[name].append(shingle_sets(rows_text(batch, name), NGRAM))
    pairs = [links(join(parts), job.config.near_duplicate) for parts in sets.values()]
    return pairs, split(units, pairs, job.config.test_share, job.config.seed)


def _units(batch: pa.RecordBatch) -> Iterator[str]:
    """What each sample came from: its document, or its own conversation."""
    ids, documents, messages = (batch.column(name).to_pylist() for name in ("id", "document_id", "messages"))
    for id, document, conversation in zip(ids, documents, messages, strict=True):
        if [message["role"] for message in conversation[-2:]] != ["user", "assistant"]:
            raise BadInput(f"sample {id} does not end with a question and its answer", where="publish")
        yield f"document {document}" if document else f"conversation {digest(conversation)}"


def _write(job: Job, result: Split, statistics: Statistics, files: _Files, preferences: Preferences) -> None:
    first = 0
    for batch in job.input("rows").batches():
        sides = pa.array(result.test[first : first + batch.num_rows]).to_pylist()
        column = pa.array(["test" if test else "train" for test in sides], pa.string())
        batch = batch.set_column(batch.schema.get_field_index("split"), "split", column)
        job.output.write(batch, account="rows")
        for sample in to_rows(batch, Sample):
            statistics.add(sample, job.config.license)
            preferences.see(sample)
            files.write(sample)
        first += batch.num_rows


def _ship_report(job: Job) -> None:
    for dataset in job.inputs.get("explore", []):
        for name in REPORT:
            shutil.copyfile(dataset.file(name), job.output.workdir / name)
            job.output.add_file(name)


def _metrics(statistics: Statistics, result: Split) -> dict[str, float | int | str | None]:
    rows, words = statistics.rows, statistics.words
    return {
        "train_rows": rows["train"],
        "test_rows": rows["test"],
        "documents": len(statistics.documents),
        "groups": len(set(result.group.tolist())),
        "mean_instruction_words": round(sum(words["instruction"]) / max(rows.total(), 1), 3),
        "mean_answer_words": round(sum(words["answer"]) / max(rows.total(), 1), 3),
    }
