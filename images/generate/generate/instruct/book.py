"""What becomes of each chunk, request and pair, written in the order of the chunks."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson
from pydantic import BaseModel

from contract.manifest import Status
from contract.records import Chunk, LedgerEntry, Sample
from generate.instruct import checks
from generate.instruct.dialogue import Dropped
from generate.llm import exchange
from generate.llm.exchange import REQUESTS, Exchange
from stagekit.job import Job

CHUNKS, PAIRS = "chunks", "pairs"
HELD_CHUNKS = 200
RULES = (
    checks.RULES
    | exchange.RULES
    | {
        "no_good_pair": "an answer of which no pair passed the checks",
        "no_passage": "no whole sentences to answer with",
    }
)


@dataclass(frozen=True)
class Outcome:
    """One chunk's end: samples made of it, pairs that were dropped, requests sent, and its own place in the books."""

    chunk: Chunk
    samples: list[Sample]
    dropped: list[Dropped] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    status: Status = "kept"
    rule: str = ""
    detail: str | None = None


class Book:
    """Writes samples and ledger, a few hundred chunks at a time."""

    def __init__(self, job: Job, requests: bool) -> None:
        self.out = job.output
        self.ends: Counter[tuple[Status, str]] = Counter()
        self._held: list[Outcome] = []
        self._progress = job.progress(sum(dataset.rows for dataset in job.inputs.get(CHUNKS, [])), CHUNKS)
        for name, description in RULES.items():
            self.out.rule(name, description)
        self.out.books.open(PAIRS)
        if requests:
            self.out.books.open(REQUESTS)

    def add(self, outcome: Outcome) -> None:
        """Take in one chunk's outcome; they must come in the chunks' order."""
        self.ends[outcome.status, outcome.rule] += 1
        self._held.append(outcome)
        self._progress.add()
        if len(self._held) >= HELD_CHUNKS:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        samples = [sample for outcome in self._held for sample in outcome.samples]
        if samples:
            self.out.write(samples)
        for outcome in self._held:
            self._count(outcome)
        self.out.enter(entry for outcome in self._held for entry in _entries(outcome))
        self._held = []

    def ended(self, status: Status) -> int:
        """How many chunks ended so."""
        return sum(number for (end, _), number in self.ends.items() if end == status)

    def _count(self, outcome: Outcome) -> None:
        pairs = len(outcome.samples) + len(outcome.dropped)
        self.out.books.open(PAIRS, pairs)
        self.out.keep(PAIRS, len(outcome.samples))
        if outcome.exchanges:
            self.out.books.open(REQUESTS, len(outcome.exchanges))
            self.out.keep(REQUESTS, sum(request.status == "kept" for request in outcome.exchanges))
        if outcome.status == "kept":
            self.out.keep(CHUNKS)


def _entries(outcome: Outcome) -> Iterator[LedgerEntry]:
    for request in outcome.exchanges:
        if request.status != "kept":
            yield request.entry(outcome.chunk.id)
    for number, dropped in enumerate(outcome.dropped):
        yield LedgerEntry(
            account=PAIRS,
            status="dropped",
            rule=dropped.rule,
            id=f"{outcome.chunk.id}#{number}",
            value=dropped.evidence,
            partner=outcome.chunk.id,
            row=_json(dropped.pair) if dropped.pair else None,
        )
    if outcome.status != "kept":
        yield LedgerEntry(
            account=CHUNKS,
            status=outcome.status,
            rule=outcome.rule,
            id=outcome.chunk.id,
            detail=outcome.detail,
            row=_json(outcome.chunk),
        )


def _json(record: BaseModel) -> str:
    return orjson.dumps(record.model_dump()).decode()
