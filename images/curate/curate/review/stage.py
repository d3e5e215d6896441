"""Drop what reviewers rejected, replace what they edited, draw the samples to be looked at next.

Reads samples, decisions where there are any, and the chunks that samples were made from, to be shown beside them.
Accounts: `rows` (drops `rejected`, and `unreviewed` where the config says so), `decisions` (each applied, or stated as
superseded, of a changed text, or unmatched) and `references` (all kept). A sample that people kept has the tag
`accepted` or `edited` and the score `review`, the share of its reviewers who did not reject it; an edited one has a new
id and its original among `parent_ids`. Writes `review/sample.jsonl`, `review/form.json`, `review/agreement.json` and
`review/argilla/`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from contract.agreement import report
from contract.config.review import ReviewConfig
from contract.records import Chunk, Decision, Sample, conversation_key
from contract.review_files import AGREEMENT, FORM, SAMPLES
from curate.decisions import APPLIED, UNUSED, Decisions, Votes
from curate.review.forms import argilla_dataset, argilla_record, argilla_settings, form, line
from curate.review.strata import Draw, Drawn, stratum_of
from stagekit.dataset import Dataset
from stagekit.job import Job
from stagekit.schema import to_batch, to_rows

ROWS, DECISIONS, REFERENCES = "rows", "decisions", "references"
REJECTED, UNREVIEWED = "rejected", "unreviewed"
ACCEPTED, EDITED = "accepted", "edited"
SCORE = "review"
NAME = "nocturne-review"


def run(job: Job) -> None:
    """Apply, draw, describe."""
    job.output.rule(REJECTED, "reviewers rejected it")
    job.output.rule(UNREVIEWED, "nobody decided about it")
    for rule, description in UNUSED.items():
        job.output.rule(rule, description)
    review = _Review(job)
    for batch in job.input(ROWS).batches():
        review.take(batch)
    review.finish()


class _Review:
    """Goes through the samples once."""

    def __init__(self, job: Job) -> None:
        self.job, self.output = job, job.output
        self.config: ReviewConfig = job.config
        self.decisions = Decisions(d for dataset in job.inputs.get(DECISIONS, []) for d in dataset.records(Decision))
        self.draw = Draw(self.config.sample, self.config.seed)
        self.votes: list[tuple[Decision, ...]] = []
        self.counts: Counter[str] = Counter()
        self._begun: dict[str, tuple[Decision, ...]] = {}

    def take(self, batch: pa.RecordBatch) -> None:
        """Judge one batch; rows that nobody decided about go through as they are."""
        samples = to_rows(batch, Sample)
        votes = [self.decisions.about(sample) for sample in samples]
        lost = [self._lost(some) for some in votes]
        self._drop(batch, votes, lost)
        for sample, some, reason in zip(samples, votes, lost, strict=True):
            self._count(sample, some, reason)
        kept = [reviewed(s, v) for s, v, reason in zip(samples, votes, lost, strict=True) if not reason]
        untouched = not any(votes) and not any(lost)
        self.output.write(batch if untouched else to_batch(kept, Sample), account=ROWS)

    def finish(self) -> None:
        """Book the decisions; write what people need, and how they agree."""
        if self.job.inputs.get(DECISIONS):
            self._book_decisions()
        agreement = report(self.votes)
        self.output.add_text(AGREEMENT, _json(agreement))
        drawn = self.draw.chosen()
        self._write(drawn)
        self.output.metrics |= {
            "sampled": len(drawn),
            "strata": len(self.draw.counts),
            **{name: self.counts[name] for name in (ACCEPTED, EDITED, REJECTED, UNREVIEWED)},
            **{f"decisions_{fate}": self.decisions.fates.count(fate) for fate in (APPLIED, *UNUSED)},
            "agreement": agreement["agreement"],
            "kappa": agreement["kappa"],
        }

    def _lost(self, votes: Votes | None) -> str:
        """Why a sample goes; empty where it stays."""
        if votes is None:
            return UNREVIEWED if self.config.unreviewed == "drop" else ""
        return REJECTED if votes.rejected(self.config.rejected_by == "any") else ""

    def _count(self, sample: Sample, votes: Votes | None, reason: str) -> None:
        self.counts[reason or (UNREVIEWED if votes is None else EDITED if votes.edit else ACCEPTED)] += 1
        decided = votes.decisions if votes else ()
        if decided:
            self.votes.append(decided)
        if len(decided) < self.config.reviewers:
            self._begun.update({sample.id: decided} if decided else {})
            self.draw.add(sample, stratum_of(sample, self.config))

    def _drop(self, batch: pa.RecordBatch, votes: Sequence[Votes | None], lost: Sequence[str]) -> None:
        places = [place for place, reason in enumerate(lost) if reason]
        decided = [(votes[place] or Votes(())).decisions for place in places]
        self.output.drop(
            batch.take(pa.array(places, pa.int64())),
            ROWS,
            [lost[place] for place in places],
            value=[_tally(some) for some in decided],
            threshold=[f"rejected by {self.config.rejected_by}" if some else "one decision" for some in decided],
            detail=["; ".join(filter(None, (each.comment for each in some))) or None for some in decided],
        )

    def _book_decisions(self) -> None:
        fates, batch = self.decisions.fates, to_batch(self.decisions.all, Decision)
        unused = [place for place, fate in enumerate(fates) if fate != APPLIED]
        self.output.drop(
            batch.take(pa.array(unused, pa.int64())),
            DECISIONS,
            [fates[place] for place in unused],
            value=[self.decisions.all[place].verdict for place in unused],
            detail=[f"sample {self.decisions.all[place].sample_id}" for place in unused],
        )
        self.output.keep(DECISIONS, len(fates) - len(unused))

    def _write(self, drawn: Sequence[Drawn]) -> None:
        passages = passages_of(drawn, self.job.inputs.get(REFERENCES, []))
        for dataset in self.job.inputs.get(REFERENCES, []):
            self.output.keep(REFERENCES, dataset.rows)
        lines = [line(one, self._begun.get(one.id, ()), passages.get(one.sample.chunk_id or "")) for one in drawn]
        self.output.add_text(SAMPLES, "".join(f"{orjson.dumps(each.model_dump()).decode()}\n" for each in lines))
        self.output.add_text(FORM, _json(form(self.config).model_dump()))
        folder = "review/argilla"
        self.output.add_text(f"{folder}/.argilla/settings.json", _json(argilla_settings(self.config)))
        self.output.add_text(f"{folder}/.argilla/dataset.json", _json(argilla_dataset(NAME, self.config)))
        self.output.add_text(f"{folder}/records.json", _json([argilla_record(each) for each in lines]))


def passages_of(drawn: Sequence[Drawn], chunks: Iterable[Dataset]) -> dict[str, Chunk]:
    """The chunks, by id, that these samples were made from; all others are passed over unread."""
    wanted = pa.array({one.sample.chunk_id for one in drawn if one.sample.chunk_id}, pa.string())
    found = (batch.filter(pc.is_in(batch["id"], wanted)) for dataset in chunks for batch in dataset.batches())
    return {chunk.id: chunk for batch in found for chunk in to_rows(batch, Chunk)}


def reviewed(sample: Sample, votes: Votes | None) -> Sample:
    """A sample that stays, as its reviewers left it."""
    if votes is None:
        return sample
    share = round(1 - votes.rejects / len(votes.decisions), 4)
    edit = votes.edit
    changes = {"scores": sample.scores | {SCORE: share}, "tags": _tagged(sample, EDITED if edit else ACCEPTED)}
    if edit is None:
        return sample.model_copy(update=changes)
    new_id = f"{sample.id}-edited-{conversation_key(edit.messages)[:10]}"
    lineage = {"id": new_id, "messages": edit.messages, "parent_ids": [*sample.parent_ids, sample.id]}
    return sample.model_copy(update=changes | lineage)


def _tagged(sample: Sample, tag: str) -> list[str]:
    return [*(each for each in sample.tags if each != tag), tag]


def _tally(decisions: Sequence[Decision]) -> str | None:
    if not decisions:
        return None
    return ", ".join(f"{each.reviewer}: {each.verdict}" for each in decisions)


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
