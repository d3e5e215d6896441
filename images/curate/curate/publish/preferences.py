"""Preferences that go out with the samples: those whose sample is published as it was rated, on its side of the split.

They come as `preferences.jsonl` of the dataset that compared answers, one `Preference` a line under the id of the
sample that holds the chosen answer. A sample that was dropped since, or that says something else by now, takes its
preference with it: it was dropped for a reason (a benchmark item, say), and the split holds for samples only.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from contract.keys import digest
from contract.records import LedgerEntry, Preference, Sample
from stagekit.dataset import Dataset
from stagekit.job import Job

PORT = FOLDER = "preferences"
FILE = "preferences.jsonl"
RULES = {
    "sample_gone": "the sample with the chosen answer is not published",
    "sample_changed": "the sample with the chosen answer says something else by now",
}


class Preferences:
    """The preferences of a run: which samples they wait for, then the files by split."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.splits: Counter[str] = Counter()
        self._files = [dataset.file(FILE) for dataset in job.inputs.get(PORT, []) if _has_them(dataset)]
        self._said = {preference.id: digest(_conversation(preference)) for preference in self._read()}
        self._found: dict[str, tuple[str, bool]] = {}

    def see(self, sample: Sample) -> None:
        """Take note of a sample that is published."""
        if said := self._said.get(sample.id):
            conversation = [message.model_dump() for message in sample.messages]
            self._found[sample.id] = (sample.split or "train", digest(conversation) == said)

    def write(self) -> None:
        """Write `preferences/<split>.jsonl`; book every preference, those that stay behind with their rule."""
        if not self._files:
            return
        out = self.job.output
        for name, description in RULES.items():
            out.rule(name, description)
        out.books.open(PORT, sum(1 for _ in self._read()))
        with ExitStack() as stack:
            files: dict[str, BinaryIO] = {}
            out.enter(entry for preference in self._read() if (entry := self._place(preference, files, stack)))
        for split in files:
            out.add_file(f"{FOLDER}/{split}.jsonl")
        out.metrics["preferences"] = self.splits.total()

    def _place(self, preference: Preference, files: dict[str, BinaryIO], stack: ExitStack) -> LedgerEntry | None:
        split, same = self._found.get(preference.id, ("", False))
        if not same:
            rule = "sample_changed" if split else "sample_gone"
            row = orjson.dumps(preference.model_dump()).decode()
            return LedgerEntry(account=PORT, status="dropped", rule=rule, id=preference.id, row=row)
        if split not in files:
            path = self.job.output.workdir / FOLDER / f"{split}.jsonl"
            path.parent.mkdir(exist_ok=True)
            files[split] = stack.enter_context(path.open("wb"))
        files[split].write(orjson.dumps(as_turns(preference)) + b"\n")
        self.splits[split] += 1
        self.job.output.keep(PORT)
        return None

    def _read(self) -> Iterator[Preference]:
        for path in self._files:
            yield from _preferences(path)


def as_turns(preference: Preference) -> dict[str, Any]:
    """A preference as trainers take it: `prompt`, `chosen` and `rejected` are lists of messages."""
    given = preference.model_dump(exclude={"messages"})
    return given | {
        "prompt": [message.model_dump() for message in preference.messages],
        "chosen": [_answer(preference.chosen)],
        "rejected": [_answer(preference.rejected)],
    }


def _preferences(path: Path) -> Iterator[Preference]:
    with path.open("rb") as file:
        for line in file:
            yield Preference.model_validate_json(line)


def _conversation(preference: Preference) -> list[dict[str, str]]:
    return [*(message.model_dump() for message in preference.messages), _answer(preference.chosen)]


def _answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _has_them(dataset: Dataset) -> bool:
    """Whether any were written: where all answers were rated alike there is no file."""
    return any(file.path == FILE for file in dataset.manifest.files)
