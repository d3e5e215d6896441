"""Score samples by an encoder classifier or a reward model.

Reads samples; writes them with `scores`, in their order. Drops samples below a `minimum`; fails those that have no
token to read, no place in the chat template, or no finite score. What the model said of a text is remembered across
runs. Metrics: the mean of each score, how many texts were cut, tokens, device, texts computed anew. Raises `BadInput`
for a folder without a trained model, `BadConfig` for names or readings that do not fit it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from contract.config.rate import RateConfig
from contract.keys import KEY_LENGTH, digest
from contract.records import Sample
from finetune.base import base_folder, check_vocabulary, load_config, load_tokenizer
from finetune.model import pick_device, quiet, working_dtype
from finetune.rate.inputs import Reader, Tokens, batches
from finetune.rate.memory import Memory, remembering
from finetune.rate.readings import check_reading, score_names, scores_of
from finetune.rate.scorer import Scorer, labels_of
from stagekit.job import Job
from stagekit.schema import to_rows

ACCOUNT = "rows"
NOTHING, REFUSED, NOT_FINITE, LOW = "nothing_to_read", "template_refused", "not_finite", "low_score"
CACHE = "rate"
WINDOW = 8_192  # rows sorted by length together
Scored = dict[str, float]


def run(job: Job) -> None:
    """Load the model, score window by window."""
    quiet()
    job.output.rule(NOTHING, "the text has no token")
    job.output.rule(REFUSED, "the model's chat template takes no such conversation")
    job.output.rule(NOT_FINITE, "the model gave no finite number")
    job.output.rule(LOW, "a score is below its `minimum`")
    rating = _Rating(job)
    with remembering(job.cache(CACHE), rating.name, len(rating.labels)) as memory:
        for batch in job.input("rows").batches(WINDOW):
            rating.take(batch, memory)
    job.output.metrics |= rating.metrics() | {"computed": memory.computed}


class _Rating:
    """A model and what it has said so far."""

    def __init__(self, job: Job) -> None:
        self.job, self.output = job, job.output
        self.config: RateConfig = job.config
        folder = base_folder(self.config.model)
        tokenizer, config = load_tokenizer(folder), load_config(folder)
        check_vocabulary(tokenizer, config.get_text_config(), 0, self.config.model)
        self.labels = labels_of(config)
        check_reading(self.config, len(self.labels))
        self.names = score_names(self.config, self.labels)
        self.device = pick_device(self.config)
        self.scorer = Scorer(folder, self.config, self.device, working_dtype(self.device))
        self.name = self._name(folder)
        self.reader = Reader(tokenizer, self.config, self.scorer.longest(tokenizer))
        self.progress = job.progress(job.input("rows").rows, "rows")
        self.counts: Counter[str] = Counter()
        self.sums: Counter[str] = Counter()

    def take(self, batch: pa.RecordBatch, memory: Memory) -> None:
        """Score one window of rows and book it."""
        samples = to_rows(batch, Sample)
        rows = self.reader.read(samples)
        found = self._scores(rows, memory)
        ends = [self._end(row, scores) for row, scores in zip(rows, found, strict=True)]
        places = [place for place, (rule, _) in enumerate(ends) if rule]
        lost = batch.take(pa.array(places, pa.int64()))
        self._drop(lost, [ends[place] for place in places], [found[place] or {} for place in places])
        kept = [
            sample.model_copy(update={"scores": sample.scores | (scores or {})})
            for sample, scores, (rule, _) in zip(samples, found, ends, strict=True)
            if not rule
        ]
        self.output.write(kept, account=ACCOUNT)
        for sample in kept:
            self.sums.update({name: sample.scores[name] for name in self.names})
        self.counts["kept"] += len(kept)

    def metrics(self) -> dict[str, Any]:
        """Means over the samples kept, and what was read."""
        means = {f"mean_{name}": round(self.sums[name] / max(self.counts["kept"], 1), 4) for name in self.names}
        read = {name: self.counts[name] for name in ("truncated", "tokens")}
        return means | read | {"longest": self.reader.longest, "device": self.device.type}

    def _name(self, folder: Path) -> str:
        """What stands for all that decides the model's outputs, but for the tokens."""
        weights = [parent.content_hash for parent in self.job.sources()] or [self.config.model, folder.name]
        rounding = (self.device.type, self.config.batch_tokens, self.config.cpu_threads)
        return digest([weights, rounding])[:KEY_LENGTH]

    def _scores(self, rows: Sequence[Tokens], memory: Memory) -> list[Scored | None]:
        """The scores of each row by name; None where there is nothing to read."""
        found: list[Scored | None] = [None] * len(rows)
        new = [row for row in rows if row.ids and memory.get(row.ids) is None]
        for batch in batches(new, self.config.batch_tokens):
            for row, outputs in zip(batch, self.scorer.outputs(batch).numpy(), strict=True):
                memory.put(row.ids, outputs)
            self.progress.add(len(batch))
        known = [(row.place, outputs) for row in rows if (outputs := memory.get(row.ids)) is not None]
        scores = scores_of(torch.from_numpy(np.array([outputs for _, outputs in known])), self.config) if known else []
        for (place, _), values in zip(known, scores, strict=True):
            found[place] = dict(zip(self.names, values, strict=True))
        self.counts["truncated"] += sum(row.cut for row in rows)
        self.counts["tokens"] += sum(len(row.ids) for row in rows)
        return found

    def _end(self, row: Tokens, scores: Scored | None) -> tuple[str, str]:
        """Why a sample goes, and by which score or for which problem; two empty texts where it stays."""
        if scores is None:
            return (REFUSED, row.problem) if row.problem else (NOTHING, "")
        broken = next((name for name, score in scores.items() if not math.isfinite(score)), "")
        if broken:
            return NOT_FINITE, broken
        low = next((name for name, least in self.config.minimum.items() if scores[name] < least), "")
        return (LOW, low) if low else ("", "")

    def _drop(self, batch: pa.RecordBatch, ends: Sequence[tuple[str, str]], scores: Sequence[Scored]) -> None:
        for failed in (True, False):
            chosen = [place for place, (rule, _) in enumerate(ends) if (rule != LOW) is failed]
            self.output.drop(
                batch.take(pa.array(chosen, pa.int64())),
                ACCOUNT,
                [ends[place][0] for place in chosen],
                value=[scores[place].get(ends[place][1]) for place in chosen],
                threshold=[None if failed else self.config.minimum[ends[place][1]] for place in chosen],
                detail=[ends[place][1] or None for place in chosen],
                status="failed" if failed else "dropped",
            )
