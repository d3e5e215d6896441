"""The search for a better evolving method, after Auto Evol-Instruct (Zeng et al. 2024, arXiv 2406.00770).

A method evolves a few samples; a model looks at these trajectories and says what is wrong with it; new methods are
written from that; each is tried on the development sample, and the one that fails least becomes the method if it fails
less than the last. It ends when nothing is better, nothing fails, the steps are used up or the budget is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import islice
from typing import Any

from contract.records import Sample
from generate.choice import point
from generate.evolve.accounts import Line
from generate.evolve.auto.trial import Trial, cases_of, try_method
from generate.evolve.book import METHODS, ROWS, Book
from generate.evolve.fate import Fate, unanswered
from generate.evolve.how import How
from generate.evolve.row import is_one_turn
from generate.evolve.shapes import Feedback, Mended
from generate.llm.asker import Asker
from generate.llm.session import Session

FIRST = "first"


@dataclass
class Search:
    """The best method so far, and how it was found."""

    session: Session
    book: Book
    how: How
    development: Sequence[Sample]
    trajectories: Sequence[Sample]
    best: Trial
    history: list[dict[str, Any]] = field(default_factory=list)
    ended: str = ""

    async def run(self) -> None:
        """Mend the method until one of the ends is reached."""
        self.best = await self._tried(FIRST, self.best.method)
        self._adopt(self.best, step=0, feedback="")
        for step in range(1, self.how.config.auto.steps + 1):
            if self.ended or await self._step(step):
                break
        self.ended = self.ended or "steps used up"

    async def _step(self, step: int) -> bool:
        """One step; true where the search is over."""
        if not self.best.rate:
            self.ended = "nothing fails"
            return True
        feedback = await self._analysed(step)
        if feedback is None:
            return True
        trials = [trial for n in range(1, self._candidates + 1) if (trial := await self._candidate(step, n, feedback))]
        winner = min(trials, key=lambda trial: trial.rate, default=None)
        better = winner is not None and winner.whole and winner.rate < self.best.rate
        for trial in trials:
            if not (better and trial is winner):
                self._reject(trial, step, feedback)
        if winner and better:
            self._adopt(winner, step, feedback)
        else:
            self.ended = self.ended or "nothing better"
        return not better

    @property
    def _candidates(self) -> int:
        return self.how.config.auto.candidates

    async def _analysed(self, step: int) -> str | None:
        """What a model finds wrong with the best method so far."""
        name = f"trajectories-{step}"
        samples = self.trajectories or self.development[: self.how.config.auto.trajectories]
        trial, rows = await try_method(self.session, self.book, self.how, name, self.best.method, samples)
        ask = self._asker()
        said = await ask(self.how.prompt.analyse(self.best.method, cases_of(rows)), Feedback)
        self.book.enter([], ask.exchanges, name)
        if said is None or not trial.whole:
            self.ended = "budget" if not trial.whole or ask.last.status == "skipped" else "no analysis"
            return None
        return said.feedback

    async def _candidate(self, step: int, number: int, feedback: str) -> Trial | None:
        """A new method, tried on the development sample; None where the model wrote none."""
        name = f"{step}.{number}"
        ask = self._asker()
        said = await ask(self.how.prompt.mend(self.best.method, feedback), Mended, salt=number)
        self.book.enter([], ask.exchanges, name)
        if said is None or not said.method.strip():
            fate = unanswered(ask.last) if said is None else Fate("dropped", "no_substance")
            self.book.enter([Line(METHODS, name, fate)], [], name)
            return None
        return await self._tried(name, said.method.strip())

    async def _tried(self, name: str, method: str) -> Trial:
        trial, _ = await try_method(self.session, self.book, self.how, name, method, self.development)
        if not trial.whole:
            self.ended = "budget"
        return trial

    def _adopt(self, trial: Trial, step: int, feedback: str) -> None:
        self.best = trial
        self._note(trial, step, feedback, adopted=True)
        self.book.enter([Line(METHODS, trial.name, Fate())], [], trial.name)

    def _reject(self, trial: Trial, step: int, feedback: str) -> None:
        self._note(trial, step, feedback, adopted=False)
        fate = Fate("dropped", "not_better", f"{trial.rate:.6g}", f"{self.best.rate:.6g}")
        self.book.enter([Line(METHODS, trial.name, fate, text={"method": trial.method})], [], trial.name)

    def _note(self, trial: Trial, step: int, feedback: str, adopted: bool) -> None:
        self.history.append({"step": step, "adopted": adopted, "feedback": feedback, **trial.summary()})

    def _asker(self) -> Asker:
        return Asker(self.session, 0, self.how.prompt.reask)


def search_of(session: Session, book: Book, how: How) -> Search:
    """A search over samples drawn by hash: first those for development, then those for the trajectories."""
    auto, seed = how.config.auto, how.config.seed
    samples = (sample for sample in session.job.input(ROWS).records(Sample) if is_one_turn(sample))
    drawn = iter(
        nsmallest(
            auto.development + auto.trajectories, samples, key=lambda sample: point("development", sample.id, seed)
        )
    )
    development = list(islice(drawn, auto.development))
    return Search(session, book, how, development, list(drawn), Trial(FIRST, how.method))
