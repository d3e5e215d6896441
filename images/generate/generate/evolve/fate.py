"""How a thing that was asked for ended: its column in the books, and why."""

from dataclasses import dataclass

from contract.manifest import Status
from contract.records import LedgerEntry
from generate.evolve.checks import Fault
from generate.llm.exchange import Exchange


@dataclass(frozen=True)
class Fate:
    """Kept, or by which rule not, on what evidence."""

    status: Status = "kept"
    rule: str = ""
    evidence: str | None = None
    threshold: str | None = None

    @property
    def kept(self) -> bool:
        """Whether it went on."""
        return self.status == "kept"

    def entry(
        self, account: str, id: str, partner: str | None, detail: str | None = None, row: str | None = None
    ) -> LedgerEntry:
        """The ledger's line for one that did not go on."""
        return LedgerEntry(
            account=account,
            status=self.status,
            rule=self.rule,
            id=id,
            value=self.evidence,
            threshold=self.threshold,
            partner=partner,
            detail=detail,
            row=row,
        )


KEPT = Fate()


def dropped(fault: Fault) -> Fate:
    """Dropped by a rule."""
    return Fate("dropped", *fault)


def unanswered(last: Exchange) -> Fate:
    """Ended as the request did that brought nothing."""
    return Fate(last.status, last.rule, last.detail)
