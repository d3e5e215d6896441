"""Seed tasks, read and booked."""

from dataclasses import dataclass

import orjson

from contract.config.instruct import SelfInstruct
from contract.failures import BadInput
from contract.keys import digest
from contract.records import LedgerEntry, Message, Sample
from generate.tables import Row, at_path, read_table
from stagekit.job import Job

SEEDS = "seeds"
ID_LENGTH = 20
RULES = {
    "not_a_task": "a seed without the instruction, or without the answer where seeds are written",
    "repeated_seed": "the same seed came before",
}


@dataclass(frozen=True)
class Seed:
    """A seed task: instruction, with its input under it, and answer (empty where there is none)."""

    id: str
    text: str
    answer: str

    def sample(self, license: str | None) -> Sample:
        """The seed as a sample."""
        turns = [Message(role="user", content=self.text), Message(role="assistant", content=self.answer)]
        return Sample(id=self.id, messages=turns, kind="seed", source=SEEDS, tags=["seed"], license=license)


def read_seeds(job: Job, config: SelfInstruct) -> list[Seed]:
    """All usable seeds in their order; the others are in the ledger under the account `seeds`.

    Raises `BadInput` where there is none.
    """
    found: dict[str, Seed] = {}
    lost: list[LedgerEntry] = []
    total = 0
    for place, row in read_table(config.seeds):
        total += 1
        seed = seed_of(row, config) if row is not None else None
        if seed is None or seed.id in found:
            rule = "not_a_task" if seed is None else "repeated_seed"
            text = orjson.dumps(row, default=str).decode() if row is not None else None
            lost.append(LedgerEntry(account=SEEDS, status="dropped", rule=rule, id=place, row=text))
        else:
            found[seed.id] = seed
    if not found:
        expected = f"tasks with an instruction at {config.seeds.instruction!r}"
        raise BadInput(f"no usable seed among {total} rows", expected=expected, where=config.seeds.uri)
    job.output.books.open(SEEDS, total)
    job.output.keep(SEEDS, len(found))
    job.output.enter(lost)
    return list(found.values())


def seed_of(row: Row, config: SelfInstruct) -> Seed | None:
    """A row as a seed; None where it lacks what is needed."""
    instruction, more, answer = (_text(row, path) for path in _paths(config))
    if not instruction or (config.write_seeds and not answer):
        return None
    text = f"{instruction}\n\n{more}" if more else instruction
    return Seed(digest([SEEDS, text, answer])[:ID_LENGTH], text, answer)


def _paths(config: SelfInstruct) -> tuple[str, str, str]:
    return config.seeds.instruction, config.seeds.input, config.seeds.answer


def _text(row: Row, path: str) -> str:
    value = at_path(row, path) if path else None
    return value.strip() if isinstance(value, str) else ""
