"""What becomes of each row, evolution, answer, comparison and request, written in the order of the rows."""

from collections import Counter
from collections.abc import Iterable, Iterator

import orjson

from contract.config.evolve import EvolveConfig
from contract.records import LedgerEntry, Preference, Sample
from generate.evolve import checks, ratings, row
from generate.evolve.accounts import ANSWERS, COMPARISONS, EVOLUTIONS, Line, lines_of
from generate.evolve.fate import Fate
from generate.evolve.prompt import AUTO
from generate.evolve.row import Row
from generate.llm import exchange
from generate.llm.exchange import REQUESTS, Exchange
from generate.llm.session import Ends
from stagekit.job import Job

ROWS, DEVELOPMENT, METHODS = "rows", "development", "methods"
PREFERENCES = "preferences.jsonl"
HELD_ROWS = 200
NOT_BETTER = {"not_better": "the method does not fail less often than the one that it was made from"}
REPLACED = {"replaced": "its evolved samples stand for it", "left_out": "the recipe keeps evolved samples only"}
RULES = checks.RULES | ratings.RULES | row.RULES | exchange.RULES | NOT_BETTER | REPLACED


class Book:
    """Writes samples, preferences and ledger, a few hundred rows at a time. `ends` tells each account's ends so far."""

    def __init__(self, job: Job) -> None:
        self.out = job.output
        self.config: EvolveConfig = job.config
        self.ends: dict[str, Ends] = {name: Counter() for name in (EVOLUTIONS, ANSWERS, COMPARISONS)}
        self.done = self.preferences = 0
        self._held: list[Row] = []
        self._progress = job.progress(job.input(ROWS).rows, ROWS)
        for name, description in RULES.items():
            self.out.rule(name, description)
        for account in self._accounts:
            self.out.books.open(account)

    def add(self, done: Row) -> None:
        """Take in one row's outcome; they must come in the rows' order."""
        self._held.append(done)
        self.done += 1
        self._progress.add()
        for line in lines_of(done):
            self.ends[line.account][line.fate.status, line.fate.rule] += 1
        if len(self._held) >= HELD_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is held, and the file of preferences if there are any."""
        self._flush()
        if self.preferences:
            self.out.add_file(PREFERENCES)

    def enter(self, lines: Iterable[Line], requests: Iterable[Exchange], partner: str) -> None:
        """Book what was tried before the rows' turn."""
        self.out.enter(self._booked(lines, requests, partner))

    @property
    def _accounts(self) -> list[str]:
        compared = [COMPARISONS] if self.config.compare else []
        searched = [DEVELOPMENT, METHODS] if self.config.method == AUTO else []
        return [EVOLUTIONS, ANSWERS, *compared, *searched, REQUESTS]

    def _booked(self, lines: Iterable[Line], requests: Iterable[Exchange], partner: str) -> Iterator[LedgerEntry]:
        """Count what was tried for a row, and its requests; the ledger's lines of those that did not go on."""
        for asked in requests:
            self._count(REQUESTS, asked.status == "kept")
            if asked.status != "kept":
                yield asked.entry(partner)
        for line in lines:
            self._count(line.account, line.fate.kept)
            if not line.fate.kept:
                yield line.fate.entry(line.account, line.id, partner, line.detail or None, line.row)

    def _flush(self) -> None:
        samples = [sample for done in self._held for sample in self._samples(done)]
        if samples:
            self.out.write(samples)
        self.out.enter(entry for done in self._held for entry in self._entries(done))
        preferences = [preference for done in self._held for preference in _preferences(done)]
        if preferences:
            with (self.out.workdir / PREFERENCES).open("ab") as file:
                file.writelines(orjson.dumps(preference.model_dump()) + b"\n" for preference in preferences)
        self.preferences += len(preferences)
        self._held = []

    def _samples(self, done: Row) -> list[Sample]:
        return [*([done.original] if self._fate(done).kept else []), *done.evolved]

    def _fate(self, done: Row) -> Fate:
        """Where the row that came in ends."""
        if self.config.originals == "drop":
            return Fate("dropped", "left_out")
        if self.config.originals == "replace" and done.evolved:
            return Fate("dropped", "replaced", done.evolved[-1].id)
        return Fate()

    def _entries(self, done: Row) -> Iterator[LedgerEntry]:
        yield from self._booked(lines_of(done), done.exchanges, done.sample.id)
        if (fate := self._fate(done)).kept:
            self.out.keep(ROWS)
        else:
            whole = orjson.dumps(done.sample.model_dump()).decode()
            yield Fate("dropped", fate.rule).entry(ROWS, done.sample.id, fate.evidence, row=whole)

    def _count(self, account: str, kept: bool) -> None:
        self.out.books.open(account, 1)
        if kept:
            self.out.keep(account)


def _preferences(done: Row) -> Iterator[Preference]:
    pairs = [(done.original, done.comparison)]
    pairs += [(tried.sample, tried.comparison) for tried in done.evolutions if tried.sample]
    for sample, comparison in pairs:
        if comparison and (preference := comparison.preference(sample)):
            yield preference
