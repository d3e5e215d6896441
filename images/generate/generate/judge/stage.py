"""judge: samples in, the same samples with scores out."""

from collections import Counter

from contract.records import Decision
from generate.judge.book import Book
from generate.judge.estimate import estimate
from generate.judge.gate import Gate, gate
from generate.judge.gold import read_gold, wanted_ids, with_texts
from generate.judge.jury import family
from generate.judge.material import ROWS, Material, check_material, material_of
from generate.judge.page import as_html
from generate.judge.panel import Bench, Judged, Panel, load_panel
from generate.judge.report import as_json, facts_of, metrics_of
from generate.judge.reviews import DECISIONS, Reviews
from generate.judge.scores import Scores
from generate.judge.tally import Tally, length_of
from generate.judge.write import write_rows
from generate.llm.session import Session
from stagekit.job import Job


def run(job: Job) -> None:
    """Judge the gold set, then every row; write rows with their scores, the ledger, the verdicts and a report.

    Reads `rows`, and where there are some `references` (chunks or documents), `opponents` (samples or preferences) and
    reviewers' `decisions`, which count as gold.
    Books every row, verdict, request and gold row. Rows without a score are kept and tagged `unjudged`; rows are
    dropped by score only where agreement with people is as good as the config demands. Without `rows` only the gold set
    is judged. Raises `BadConfig`, `BadInput`, `BudgetReached` and `RemoteTrouble` as the other stages that ask a model.
    """
    panel = load_panel(job.config)
    check_material(job, [rubric.name for rubric in panel.prompts.rubrics if rubric.file.reference])
    with material_of(job) as material:
        court = _Court(job, panel, material)
        court.sit()
    court.conclude()


class _Court:
    """One run: what is gathered between the first question and the last row written."""

    def __init__(self, job: Job, panel: Panel, material: Material) -> None:
        config = panel.config
        self.job, self.panel, self.material = job, panel, material
        self.rows = material.judged
        gold = read_gold(config, panel.criteria)
        self.gold = list(with_texts(gold, material.named(wanted_ids(gold))))
        self.reviews = self._reviews()
        self.gold += self.reviews.rows
        self.tallies = [
            Tally(name, len(panel.names), panel.pairwise, config.aggregate, config.accept_at) for name in panel.criteria
        ]
        self.scores, self.kin = Scores(panel.criteria), Counter[str]()
        self.session = Session(job, panel.endpoints)

    def sit(self) -> None:
        """Ask for all verdicts."""
        usable = [row.subject for row in self.gold if row.subject]
        self.session.log_estimate(estimate(self.session, self.panel, self.material, usable))
        self.book = Book(self.job, self.panel)
        self.book.add_decisions(self.reviews)
        try:
            self.session.run(self._hear)
            self.book.close()
        finally:
            self.book.discard()
        self.session.check_failed(self.book.ends, self.book.total, "verdicts")

    def conclude(self) -> None:
        """Decide what may be dropped, write the rows and the report."""
        gates = {each.criterion: gate(self.panel.config, each.against_people[0].agreement) for each in self.tallies}
        self._warn(gates)
        lines = {each.criterion: each.lengths for each in self.tallies}
        dropped = write_rows(self.job, self.panel, self.scores, lines, gates)
        facts = facts_of(self.panel, self.tallies, gates, self.rows, dropped, self.kin)
        self.job.output.metrics |= metrics_of(facts)
        self.job.output.add_text("judge.json", as_json(facts))
        self.job.output.add_text("judge.html", as_html(facts))

    def _reviews(self) -> Reviews:
        decisions = [each for dataset in self.job.inputs.get(DECISIONS, []) for each in dataset.records(Decision)]
        samples = self.material.samples() if decisions else ()
        return Reviews(decisions, samples, self.panel.criteria, self.material.completed)

    async def _hear(self) -> None:
        bench = Bench(self.session, self.panel)
        await self._hear_gold(bench)
        progress = self.job.progress(self.rows, ROWS)
        async with self.session.each(self.material.subjects(), bench.judge) as results:
            async for judged in results:
                self._take(judged)
                progress.add()

    async def _hear_gold(self, bench: Bench) -> None:
        for row in self.gold:
            if row.subject is None:
                self.book.add_gold(row, judged=False)
        usable = [row for row in self.gold if row.subject]
        async with self.session.each(usable, bench.judge_gold) as results:
            async for judged in results:
                self._take_gold(judged)

    def _take(self, judged: Judged) -> None:
        self.book.add(judged)
        found = {each.criterion: each.add(judged.subject, judged.of(each.criterion)) for each in self.tallies}
        self.scores.add(length_of(judged.subject, self.panel.pairwise), found)
        if judged.subject.model:
            self.kin[family(judged.subject.model)] += 1
        self._stop_if_spent(judged)

    def _take_gold(self, judged: Judged) -> None:
        self.book.add(judged)
        assert judged.gold
        said = judged.gold.said or {}
        compared = [
            each.add_gold(judged.subject, judged.of(each.criterion), said[each.criterion])
            for each in self.tallies
            if each.criterion in said
        ]
        self.book.add_gold(judged.gold, judged=any(compared))
        self._stop_if_spent(judged)

    def _stop_if_spent(self, judged: Judged) -> None:
        if any(verdict.status == "skipped" for verdict in judged.verdicts):
            done = sum(number for (status, _), number in self.book.ends.items() if status == "kept")
            self.session.stop_if_spent(done, self.book.total, "verdicts")

    def _warn(self, gates: dict[str, Gate]) -> None:
        log = self.job.log
        for name, endpoint in zip(self.panel.names, self.panel.config.jury, strict=True):
            if number := self.kin[family(endpoint.model)]:
                fields = {"judge": name, "family": family(endpoint.model), "rows": number}
                log.warning("a judge is of the family that wrote the answers", extra={"fields": fields})
        for name, found in gates.items():
            if self.panel.config.drop_below is not None and not found.open:
                log.warning("nothing is dropped", extra={"fields": {"criterion": name, "why": found.reason}})
