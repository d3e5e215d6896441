"""One logical request, what became of it, and its line in the ledger."""

from dataclasses import dataclass

from contract.manifest import Status
from contract.records import LedgerEntry
from generate.llm.answer import Ended
from generate.llm.question import Question

REQUESTS = "requests"
"""The account in which every logical request of a stage is counted."""
RULES = {
    "refusal": "the model declined",
    "malformed": "not the JSON that was asked for, and nothing in it could be saved",
    "budget": "not sent: a limit on spending is reached",
    "rate_limited": "still told to wait when nothing else was left to ask",
    "server_error": "the server answered 5xx on every try",
    "timeout": "no answer in time on any try",
    "cut_off": "the connection broke on every try",
    "unreadable": "no chat completion came back on any try",
    "unreachable": "no connection on any try",
    "expired": "every batch that it was in ended before it was answered",
    "bad_request": "the server calls the request malformed",
}
"""How a request can end unused, for the books of every stage that asks a model."""


@dataclass(frozen=True)
class Exchange:
    """One logical request and what became of it; `rule` is empty for one that was used."""

    question: Question
    ended: Ended
    rule: str = ""
    detail: str | None = None

    @property
    def status(self) -> Status:
        """The request's column in the books."""
        if self.ended.status == "answered":
            return "dropped" if self.rule else "kept"
        return self.ended.status

    def entry(self, partner: str) -> LedgerEntry:
        """The ledger's line for one that was not used; `partner` is the row that it was asked for."""
        answer = self.ended.answer
        return LedgerEntry(
            account=REQUESTS,
            status=self.status,
            rule=self.rule,
            id=self.question.key,
            partner=partner,
            detail=self.detail,
            row=answer.text if answer else None,
        )
