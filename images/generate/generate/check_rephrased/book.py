"""What was said of each pair, what became of each request, and what follows for the rows."""

from collections import Counter
from dataclasses import dataclass

import orjson

from contract.config.check_rephrased import CheckRephrasedConfig
from contract.records import LedgerEntry
from generate.check_rephrased.pairs import Pair
from generate.check_rephrased.prompt import Said
from generate.llm import exchange
from generate.llm.exchange import REQUESTS, Exchange
from generate.llm.session import Ends
from stagekit.job import Job

PAIRS = "pairs"
FILE = "check_rephrased/verdicts.jsonl"
HELD = 1_000
REPHRASED, UNCHECKED = "rephrased_by_model", "unchecked"
RULES = exchange.RULES | {
    REPHRASED: "says what a benchmark item says in other words, in the model's judgement",
    UNCHECKED: "may rephrase a benchmark item, and the model brought no verdict",
}


@dataclass(frozen=True)
class Checked:
    """One pair with what was said of it, or nothing, and every request that was needed."""

    pair: Pair
    said: Said | None
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True)
class Gone:
    """Why a row goes: what the ledger says of it."""

    rule: str
    value: str
    threshold: str
    partner: str
    detail: str | None


class Book:
    """Writes ledger and verdicts; `gone` are the rows that go, by id, and `ends` tells how the pairs ended so far."""

    def __init__(self, job: Job) -> None:
        self.out = job.output
        self.config: CheckRephrasedConfig = job.config
        self.gone: dict[str, Gone] = {}
        self.ends: Ends = Counter()
        self._held: list[LedgerEntry] = []
        for name, description in RULES.items():
            self.out.rule(name, description)
        for account in (PAIRS, REQUESTS):
            self.out.books.open(account)
        path = self.out.workdir / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")

    def add(self, checked: Checked) -> None:
        """Take in one pair's verdict; they must come in the pairs' order."""
        self._file.write(orjson.dumps(_line(checked), option=orjson.OPT_APPEND_NEWLINE))
        for account, number in ((PAIRS, 1), (REQUESTS, len(checked.exchanges))):
            self.out.books.open(account, number)
        self.out.keep(REQUESTS, sum(each.status == "kept" for each in checked.exchanges))
        self._held += (each.entry(checked.pair.name) for each in checked.exchanges if each.status != "kept")
        self._conclude(checked)
        if len(self._held) >= HELD:
            self._flush()

    def close(self) -> None:
        """Write what is held."""
        self._flush()
        self._file.close()
        self.out.add_file(FILE)
        self.out.metrics |= {
            "pairs": self.ends.total(),
            "rows_rephrased": sum(gone.rule == REPHRASED for gone in self.gone.values()),
            "pairs_without_verdict": sum(number for (status, _), number in self.ends.items() if status != "kept"),
        }

    def discard(self) -> None:
        """Let go of the file when the run did not come to its end."""
        self._file.close()

    def _conclude(self, checked: Checked) -> None:
        """Book the pair, and its row if it goes for it. A row that goes for one pair stays gone, whatever is said of
        another; a verdict counts more than a missing one."""
        pair, said = checked.pair, checked.said
        if said is not None:
            self.ends["kept", ""] += 1
            self.out.keep(PAIRS)
            if said.rephrases and self.gone.get(pair.row, _NOT_YET).rule != REPHRASED:
                self.gone[pair.row] = Gone(REPHRASED, "yes", "yes", pair.item, said.reason)
            return
        last = checked.exchanges[-1]
        self.ends[last.status, last.rule] += 1
        self._held.append(
            LedgerEntry(
                account=PAIRS,
                status=last.status,
                rule=last.rule,
                id=pair.name,
                value=f"{pair.score:.6g}",
                partner=pair.row,
                detail=last.detail,
            )
        )
        if self.config.unchecked == "drop":
            self.gone.setdefault(pair.row, Gone(UNCHECKED, last.rule, "a verdict", pair.item, last.detail))

    def _flush(self) -> None:
        self.out.enter(self._held)
        self._held = []


_NOT_YET = Gone("", "", "", "", None)


def _line(checked: Checked) -> dict[str, object]:
    pair, said = checked.pair, checked.said
    return {
        "row": pair.row,
        "item": pair.item,
        "score": pair.score,
        "rephrases": said.rephrases if said else None,
        "reason": said.reason if said else None,
        "missing": None if said else checked.exchanges[-1].rule,
    }
