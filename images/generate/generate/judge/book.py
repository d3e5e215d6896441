"""What becomes of every verdict, request and gold row, written in the rows' order."""

from collections import Counter
from collections.abc import Iterator

import orjson

from contract.manifest import Status
from contract.records import LedgerEntry
from generate.judge import gold, reviews, verdicts
from generate.judge.gold import GOLD, GoldRow
from generate.judge.panel import Judged, Panel
from generate.judge.reviews import DECISIONS, Reviews
from generate.judge.verdicts import Verdict
from generate.llm import exchange
from generate.llm.exchange import REQUESTS, Exchange
from stagekit.job import Job

VERDICTS = "verdicts"
FILE = "judge/verdicts.jsonl"
HELD = 1_000
RULES = exchange.RULES | verdicts.RULES | reviews.RULES


class Book:
    """Writes ledger and verdicts, a few hundred rows at a time."""

    def __init__(self, job: Job, panel: Panel) -> None:
        self.out, self._names = job.output, panel.names
        self.ends: Counter[tuple[Status, str]] = Counter()
        self._held: list[LedgerEntry] = []
        by_people = panel.config.gold or job.inputs.get(DECISIONS)
        for name, description in (RULES | (gold.RULES if by_people else {})).items():
            self.out.rule(name, description)
        for account in (VERDICTS, REQUESTS, *([GOLD] if by_people else [])):
            self.out.books.open(account)
        path = self.out.workdir / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")

    @property
    def total(self) -> int:
        """Verdicts booked."""
        return self.ends.total()

    def add(self, judged: Judged) -> None:
        """Take in one row's verdicts and requests."""
        account = GOLD if judged.gold else "rows"
        self._requests(judged.exchanges, judged.subject.id)
        for verdict in judged.verdicts:
            self._verdict(account, judged, verdict)
        if len(self._held) >= HELD:
            self._flush()

    def add_gold(self, row: GoldRow, judged: bool) -> None:
        """Book a gold row: compared with, or why not."""
        self.out.books.open(GOLD, 1)
        if judged:
            self.out.keep(GOLD)
            return
        rule = row.rule or "gold_unjudged"
        self._held.append(LedgerEntry(account=GOLD, status="dropped", rule=rule, id=row.id, detail=row.detail))

    def add_decisions(self, found: Reviews) -> None:
        """Book reviewers' decisions: about a row, or about none that is there."""
        if DECISIONS in self.out.books.totals:
            self.out.keep(DECISIONS, found.used)
            self._held += found.entries()

    def close(self) -> None:
        """Write what is held."""
        self._flush()
        self._file.close()
        self.out.add_file(FILE)

    def discard(self) -> None:
        """Let go of the file when the run did not come to its end."""
        self._file.close()

    def _verdict(self, account: str, judged: Judged, verdict: Verdict) -> None:
        self.ends[verdict.status, verdict.rule] += 1
        self.out.books.open(VERDICTS, 1)
        self._requests(verdict.exchanges, judged.subject.id)
        self._file.write(orjson.dumps(self._line(account, judged, verdict), option=orjson.OPT_APPEND_NEWLINE))
        if verdict.value is not None:
            self.out.keep(VERDICTS)
            return
        self._held.append(
            LedgerEntry(
                account=VERDICTS,
                status=verdict.status,
                rule=verdict.rule,
                id=f"{account}/{judged.subject.id}/{verdict.criterion}/{self._names[verdict.juror]}",
                partner=judged.subject.id,
                detail=verdict.detail,
            )
        )

    def _line(self, account: str, judged: Judged, verdict: Verdict) -> dict[str, object]:
        said = (judged.gold.said or {}).get(verdict.criterion) if judged.gold else None
        return {
            "of": account,
            "id": judged.subject.id,
            "criterion": verdict.criterion,
            "judge": self._names[verdict.juror],
            "score": verdict.value,
            "better": list(verdict.sides),
            "feedback": list(verdict.feedback),
            "missing": verdict.rule or None,
            "people": said.value if said else None,
        }

    def _requests(self, exchanges: tuple[Exchange, ...], subject: str) -> None:
        if not exchanges:
            return
        self.out.books.open(REQUESTS, len(exchanges))
        self.out.keep(REQUESTS, sum(each.status == "kept" for each in exchanges))
        self._held += _unused(exchanges, subject)

    def _flush(self) -> None:
        self.out.enter(self._held)
        self._held = []


def _unused(exchanges: tuple[Exchange, ...], subject: str) -> Iterator[LedgerEntry]:
    return (each.entry(subject) for each in exchanges if each.status != "kept")
