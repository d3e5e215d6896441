"""Add general instruction samples to the generated ones.

Reads samples, and files in the Alpaca, ShareGPT or OpenAI layout. Every sample stays; each dataset has an account
`mix <name>` whose rows are taken, `skipped` beyond `take` or `share`, `dropped` as repeats, or `failed` as malformed.
Raises `BadInput` for a dataset without one usable row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contract.config.mix import MixSource
from contract.failures import BadInput
from contract.keys import digest
from contract.records import LedgerEntry, Message, Sample
from curate.found import Rejected
from curate.mix.layouts import LAYOUTS, Malformed
from curate.tables import problem_of, read_table
from stagekit.job import Job

MALFORMED, REPEATED, NOT_CHOSEN = "malformed", "repeated", "beyond_take"
BATCH_ROWS = 1_000


@dataclass(frozen=True)
class Read:
    """A row of a dataset, read: its sample's id and messages, or what is wrong with it and how it looks."""

    place: str
    id: str
    messages: list[Message]
    problem: str = ""
    row: str = ""


def run(job: Job) -> None:
    """The generated samples first, then each dataset in order."""
    job.output.rule(MALFORMED, "Not a conversation of the layout that the recipe names")
    job.output.rule(REPEATED, "The same conversation came before in this dataset")
    job.output.rule(NOT_CHOSEN, "Not among the samples chosen by hash, as many as `take` and `share` allow")
    for batch in job.input("rows").batches():
        job.output.write(batch, account="rows")
    ids = {source.name: _usable(source, job.config.seed) for source in job.config.datasets}
    numbers = taken(job.config.datasets, job.input("rows").rows, {name: len(some) for name, some in ids.items()})
    for source in job.config.datasets:
        _add(job, source, set(ids[source.name][: numbers[source.name]]))


def taken(sources: Sequence[MixSource], rows: int, usable: Mapping[str, int]) -> dict[str, int]:
    """How many samples each dataset gives, beside `rows` samples that stay.

    Those without a `share` give `take` or all that they have. If the others' shares add up to s, what stays is 1 - s of
    all, which says how many all are.
    """
    most = {source.name: min(usable[source.name], source.take or usable[source.name]) for source in sources}
    fixed = rows + sum(most[source.name] * source.repeat for source in sources if source.share is None)
    whole = fixed / (1 - sum(source.share or 0 for source in sources))
    wanted = {source.name: round(source.share * whole / source.repeat) for source in sources if source.share}
    return {name: min(number, wanted.get(name, number)) for name, number in most.items()}


def read(source: MixSource) -> Iterator[Read]:
    """All rows of a dataset. An id follows from name and content, so that it outlives a reordering of the file."""
    for row in read_table(source):
        if isinstance(row, Rejected):
            yield Read(row.place, row.place, [], problem_of(row), row.row or "")
            continue
        try:
            messages = LAYOUTS[source.format](row.value)
            content = [(message.role, message.content) for message in messages]
            yield Read(row.place, f"{source.name}-{digest(content)[:20]}", messages)
        except Malformed as malformed:
            yield Read(row.place, row.place, [], str(malformed), repr(row.value))


def _add(job: Job, source: MixSource, chosen: set[str]) -> None:
    account, out = f"mix {source.name}", job.output
    out.books.open(account)
    seen: set[str] = set()
    samples: list[Sample] = []
    entries: list[LedgerEntry] = []
    for found in read(source):
        out.books.open(account, 1)
        if entry := _entry(account, found, seen, chosen):
            entries.append(entry)
        else:
            out.keep(account)
            samples += _copies(source, found)
        seen.add(found.id)
        if len(samples) + len(entries) >= BATCH_ROWS:
            samples, entries = _flush(job, samples, entries)
    _flush(job, samples, entries)
    out.metrics[f"{source.name}_taken"] = len(chosen)


def _flush(job: Job, samples: list[Sample], entries: list[LedgerEntry]) -> tuple[list[Sample], list[LedgerEntry]]:
    job.output.write(samples)
    job.output.enter(entries)
    return [], []


def _usable(source: MixSource, seed: int) -> list[str]:
    """Ids of all samples, in the order in which they are taken: by their hash with the seed, so that new rows displace
    few of those before them."""
    ids, first_problem = set(), ""
    for found in read(source):
        if not found.problem:
            ids.add(found.id)
        first_problem = first_problem or (found.problem and f"{found.place}: {found.problem}")
    if not ids:
        raise BadInput(
            f"no usable row; {first_problem or 'the files are empty'}",
            expected=f"rows in the {source.format} layout",
            where=f"dataset {source.name}: {source.uri}",
        )
    return sorted(ids, key=lambda id: digest([seed, id]))


def _entry(account: str, found: Read, seen: set[str], chosen: set[str]) -> LedgerEntry | None:
    """Why a row is not taken; None where it is."""
    if found.problem:
        row = found.row.encode("utf-8", "replace").decode("utf-8")
        return LedgerEntry(account=account, status="failed", rule=MALFORMED, id=found.id, detail=found.problem, row=row)
    if found.id in seen:
        return LedgerEntry(
            account=account, status="dropped", rule=REPEATED, id=found.id, partner=found.id, detail=found.place
        )
    if found.id not in chosen:
        return LedgerEntry(account=account, status="skipped", rule=NOT_CHOSEN, id=found.id, detail=found.place)
    return None


def _copies(source: MixSource, found: Read) -> list[Sample]:
    return [
        Sample(
            id=found.id if copy == 1 else f"{found.id}-{copy}",
            messages=found.messages,
            kind="mixed-in",
            source=source.name,
            license=source.license,
        )
        for copy in range(1, source.repeat + 1)
    ]
