"""Read every source of decisions in order; book each line as a decision or as something else.

Writes decisions, ordered as their files are named and their lines stand. Accounts: `decisions`, one entry for each line
and, of a record that several people answered, for each of them. Fails what is malformed; drops what nobody answered or
submitted, and what came before. Raises `BadInput` when more than `max_rejected` are malformed.
"""

import json
from collections.abc import Iterator

from contract.config.decide import DecideConfig, DecisionSource
from contract.failures import BadInput
from contract.records import Decision, LedgerEntry
from curate.decide.lines import MALFORMED, UNANSWERED, UNSUBMITTED, Refused, decisions_of
from curate.found import Found, Rejected
from curate.tables import problem_of, read_table
from stagekit.job import Job
from stagekit.sources import is_absent

ACCOUNT, REPEATED = "decisions", "repeated"
BATCH_ROWS = 1_000
RULES = {
    MALFORMED: "neither a decision as the review page writes it nor a record of Argilla",
    UNANSWERED: "a sample that was shown, and has no verdict yet",
    UNSUBMITTED: "an answer that its reviewer left as a draft or discarded",
    REPEATED: "the same decision came before",
}


def run(job: Job) -> None:
    """Decisions of all sources; what else is there goes to the ledger with file and line."""
    for rule, description in RULES.items():
        job.output.rule(rule, description)
    job.output.books.open(ACCOUNT)
    intake = _Intake(job)
    for source in job.config.sources:
        if is_absent(source):
            job.log.info("no decisions yet", extra={"fields": {"source": source.uri}})
        else:
            intake.read(source)
    intake.finish()


class _Intake:
    """Books what is read, holding a bounded number of rows."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.config: DecideConfig = job.config
        self.total = 0
        self.malformed: list[str] = []
        self.reviewers: set[str] = set()
        self._seen: set[str] = set()
        self._rows: list[Decision] = []
        self._entries: list[LedgerEntry] = []

    def read(self, source: DecisionSource) -> None:
        """All lines of one source."""
        for line in read_table(source):
            for found in self._found(line):
                self._take(line, found)

    def finish(self) -> None:
        """Write what is held; judge the whole."""
        self._flush()
        if len(self.malformed) > self.config.max_rejected * self.total:
            raise BadInput(
                f"{len(self.malformed)} of {self.total} lines are no decisions, first {self.malformed[0]}",
                expected=f"{self.config.max_rejected:.0%} at most",
                where=", ".join(source.uri for source in self.config.sources),
                hint="each line needs sample_id, reviewer and verdict; or raise `max_rejected`",
            )
        figures = {"decisions": len(self._seen), "reviewers": len(self.reviewers), "malformed": len(self.malformed)}
        self.job.output.metrics.update(figures)

    def _found(self, line: Found | Rejected) -> Iterator[Decision | Refused]:
        if isinstance(line, Rejected):
            yield Refused(MALFORMED, problem_of(line))
        else:
            yield from decisions_of(line.value, self.config.names)

    def _take(self, line: Found | Rejected, found: Decision | Refused) -> None:
        self.total += 1
        self.job.output.books.open(ACCOUNT, 1)
        if isinstance(found, Refused):
            if found.rule == MALFORMED:
                self.malformed.append(f"{line.place}: {found.why}")
            self._entries.append(_entry(line, found))
        elif found.id in self._seen:
            self._entries.append(_repeat(line, found))
        else:
            self._seen.add(found.id)
            self.reviewers.add(found.reviewer)
            self._rows.append(found)
        if len(self._rows) + len(self._entries) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        self.job.output.write(self._rows, account=ACCOUNT)
        self.job.output.enter(self._entries)
        self._rows, self._entries = [], []


def _entry(line: Found | Rejected, refused: Refused) -> LedgerEntry:
    row = _written(line.value) if isinstance(line, Found) else line.row
    return LedgerEntry(
        account=ACCOUNT,
        status="failed" if refused.rule == MALFORMED else "dropped",
        rule=refused.rule,
        id=line.place,
        detail=refused.why.encode("utf-8", "replace").decode(),
        row=row,
    )


def _written(value: object) -> str:
    """A line as JSON in ASCII, so that halves of UTF-16 pairs survive too."""
    try:
        return json.dumps(value, default=str)
    except RecursionError:
        return "(nested too deeply to be written as JSON)"


def _repeat(line: Found | Rejected, decision: Decision) -> LedgerEntry:
    return LedgerEntry(
        account=ACCOUNT, status="dropped", rule=REPEATED, id=line.place, partner=decision.id, detail=decision.sample_id
    )
