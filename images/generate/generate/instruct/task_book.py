"""What becomes of each task and each request of self-instruct."""

from collections.abc import Iterable

import orjson

from contract.keys import digest
from contract.manifest import Status
from contract.records import LedgerEntry, Message, Sample
from generate.instruct import checks, seeds
from generate.instruct.cells import Cell
from generate.instruct.dialogue import Dropped, Kept
from generate.instruct.pairs import Pair
from generate.instruct.seeds import ID_LENGTH
from generate.llm import exchange
from generate.llm.exchange import REQUESTS, Exchange
from stagekit.job import Job

TASKS = "tasks"
SOURCE = "self-instruct"
HELD_SAMPLES = 1_000
RULES = {
    "not_novel": "too similar (ROUGE-L) to a task of the pool, which is named",
    "never_came": "wanted for a cell of the taxonomy, and not made in all its tries",
    **seeds.RULES,
    **checks.RULES,
    **exchange.RULES,
}


def task_sample(cell: Cell, kept: Kept, parents: list[str]) -> Sample:
    """The sample of a new task; its parents are the tasks that were shown as examples."""
    instruction, answer = kept.pair.instruction.strip(), kept.pair.answer.strip()
    return Sample(
        id=digest([SOURCE, cell.tags, instruction, answer])[:ID_LENGTH],
        messages=[Message(role="user", content=instruction), Message(role="assistant", content=answer)],
        parent_ids=parents,
        source=SOURCE,
        model=kept.model,
        prompt_hash=kept.prompt_hash,
        response_hash=kept.response_hash,
        tags=[SOURCE, *cell.tags],
    )


class TaskBook:
    """Writes tasks as they are accepted, some at a time, and the ledger."""

    def __init__(self, job: Job) -> None:
        self.out = job.output
        self.kept = 0
        self._held: list[Sample] = []
        self.out.books.open(TASKS)
        self.out.books.open(REQUESTS)
        for name, description in RULES.items():
            self.out.rule(name, description)

    def keep(self, sample: Sample) -> None:
        """Take in a new task."""
        self.kept += 1
        self.out.books.open(TASKS, 1)
        self.out.keep(TASKS)
        self.write([sample])

    def write(self, samples: Iterable[Sample]) -> None:
        """Append samples, which are counted elsewhere."""
        self._held += samples
        if len(self._held) >= HELD_SAMPLES:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self._held:
            self.out.write(self._held)
        self._held = []

    def repeated(self, pair: Pair, near: tuple[float, str], limit: float) -> None:
        """Book a task that is like another one."""
        similarity, partner = near
        self._lose("dropped", "not_novel", _id(pair), pair, str(similarity), str(limit), partner)

    def dropped(self, name: str, dropped: Iterable[Dropped]) -> None:
        """Book tasks of one request that the checks dropped."""
        for number, one in enumerate(dropped, 1):
            self._lose("dropped", one.rule, f"{name}.{number}", one.pair, one.evidence)

    def missing(self, cell: Cell, number: int, spent: bool) -> None:
        """Book tasks of a cell that were wanted and never came, for want of budget if it is `spent`."""
        status: Status = "skipped" if spent else "dropped"
        for nth in range(1, number + 1):
            self._lose(status, "budget" if spent else "never_came", f"{'/'.join(cell.tags)}#missing-{nth}")

    def requests(self, sent: list[Exchange], cell: Cell) -> None:
        """Book the requests of one conversation."""
        self.out.books.open(REQUESTS, len(sent))
        self.out.keep(REQUESTS, sum(request.status == "kept" for request in sent))
        name = "/".join(cell.tags)
        self.out.enter(request.entry(name) for request in sent if request.status != "kept")

    def _lose(
        self,
        status: Status,
        rule: str,
        id: str,
        pair: Pair | None = None,
        value: str | None = None,
        threshold: str | None = None,
        partner: str | None = None,
    ) -> None:
        assert status != "kept"
        self.out.books.open(TASKS, 1)
        row = orjson.dumps(pair.model_dump()).decode() if pair else None
        entry = LedgerEntry(
            account=TASKS, status=status, rule=rule, id=id, value=value, threshold=threshold, partner=partner, row=row
        )
        self.out.enter([entry])


def _id(pair: Pair) -> str:
    return digest([SOURCE, pair.instruction, pair.answer])[:ID_LENGTH]
