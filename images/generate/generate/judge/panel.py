"""The jury at work: every criterion and juror asked about one answer."""

from dataclasses import dataclass, replace
from functools import cached_property

from pydantic import BaseModel, Field

from contract.config.judge import JudgeConfig
from contract.config.llm import Endpoint
from contract.records import Message
from generate.judge.duels import unasked
from generate.judge.gold import GoldRow
from generate.judge.rubric import Prompts, Rubric, load_prompts
from generate.judge.subjects import Subject
from generate.judge.verdicts import Juror, Verdict, schema_of, together
from generate.llm.exchange import Exchange
from generate.llm.question import server_name
from generate.llm.session import Session
from generate.llm.structured import Ask, ask_for


class FreshAnswer(BaseModel):
    """What an opponent writes."""

    answer: str = Field(min_length=1)


@dataclass(frozen=True)
class Judged:
    """One answer and everything that was said about it; `gold` is what people said, where it is a gold row."""

    subject: Subject
    verdicts: tuple[Verdict, ...]
    exchanges: tuple[Exchange, ...] = ()
    gold: GoldRow | None = None

    def of(self, criterion: str) -> list[Verdict]:
        """The jury's verdicts by one criterion."""
        return [verdict for verdict in self.verdicts if verdict.criterion == criterion]


@dataclass(frozen=True)
class Panel:
    """Who judges, by what."""

    config: JudgeConfig
    prompts: Prompts

    @property
    def pairwise(self) -> bool:
        """Whether answers are compared."""
        return self.config.method == "pairwise"

    @property
    def criteria(self) -> list[str]:
        """Names of the scores."""
        return [rubric.criterion for rubric in self.prompts.rubrics]

    @property
    def endpoints(self) -> list[Endpoint]:
        """Every model that may be asked."""
        return [*self.config.jury, *([self.config.opponent] if self.config.opponent else [])]

    @cached_property
    def names(self) -> list[str]:
        """What each juror is called: its model, with the server where two have the same."""
        jury = self.config.jury
        models = [each.model for each in jury]
        return [
            f"{each.model} at {server_name(each.base_url)}" if models.count(each.model) > 1 else each.model
            for each in jury
        ]


class Bench:
    """Asks a panel through a session."""

    def __init__(self, session: Session, panel: Panel) -> None:
        self.session, self.panel = session, panel
        reasks, reask = panel.config.reasks, panel.prompts.reask
        self.jurors = [
            Juror(n, endpoint, session.question, reasks, reask) for n, endpoint in enumerate(panel.config.jury)
        ]

    async def judge(self, number: int, subject: Subject) -> Judged:
        """The verdicts on a row, after an opponent's answer has been asked for where one is to be."""
        ask = self._ask(number)
        answered: Verdict | None = None
        exchanges: tuple[Exchange, ...] = ()
        if self.panel.config.opponent and subject.answer:
            subject, answered, exchanges = await self._oppose(ask, subject, self.panel.config.opponent)
        return Judged(subject, await self._verdicts(ask, subject, answered), exchanges)

    async def judge_gold(self, number: int, row: GoldRow) -> Judged:
        """The verdicts on a gold row; people compared it with no other opponent than its own."""
        assert row.subject
        return Judged(row.subject, await self._verdicts(self._ask(number), row.subject, None), gold=row)

    def openings(self, rubric: Rubric, subject: Subject) -> list[tuple[Message, ...]]:
        """What a juror is asked by one rubric: once, or in both orders."""
        prompts = self.panel.prompts
        if self.panel.pairwise:
            return [prompts.pairwise(rubric, subject, swapped) for swapped in (False, True)]
        return [prompts.absolute(rubric, subject, self.panel.config.examples)]

    def _ask(self, number: int) -> Ask:
        return lambda question: self.session.ask(question, number)

    async def _verdicts(self, ask: Ask, subject: Subject, instead: Verdict | None) -> tuple[Verdict, ...]:
        """One verdict for each criterion and juror, all asked for at once."""
        return tuple(
            await together(
                self._verdict(ask, subject, rubric, juror, instead or lacks(rubric, subject, self.panel.pairwise))
                for rubric in self.panel.prompts.rubrics
                for juror in self.jurors
            )
        )

    async def _verdict(
        self, ask: Ask, subject: Subject, rubric: Rubric, juror: Juror, missing: Verdict | None
    ) -> Verdict:
        """A juror's verdict, or the one that stands for it where it is not to be asked for."""
        if missing:
            return replace(missing, criterion=rubric.criterion, juror=juror.number)
        openings = self.openings(rubric, subject)
        if self.panel.pairwise:
            return await juror.compare(ask, rubric.criterion, lambda swapped: openings[swapped])
        return await juror.score(ask, rubric.criterion, openings[0])

    async def _oppose(
        self, ask: Ask, subject: Subject, opponent: Endpoint
    ) -> tuple[Subject, Verdict | None, tuple[Exchange, ...]]:
        """The subject with an answer to compare with, or how asking for one ended."""
        schema, prompts = schema_of(FreshAnswer), self.panel.prompts
        reply = await ask_for(
            ask,
            lambda messages: self.session.question(messages, schema, opponent),
            prompts.opponent(subject),
            FreshAnswer,
            self.panel.config.reasks,
            prompts.reask,
        )
        exchanges = tuple(reply.exchanges)
        if reply.value:
            return replace(subject, opponent=reply.value.answer, rival=opponent.model), None, exchanges
        last = reply.last
        return subject, Verdict("", 0, status=last.status, rule=last.rule, detail=last.detail), exchanges


def load_panel(config: JudgeConfig) -> Panel:
    """Read prompt and rubrics. Raises `BadConfig` for a name that there is not."""
    return Panel(config, load_prompts(config.prompt, config.criteria))


def lacks(rubric: Rubric, subject: Subject, pairwise: bool) -> Verdict | None:
    """The verdict that is not asked for, where something to judge by is missing."""
    rule = ""
    if not subject.answer.strip():
        rule = "no_answer"
    elif rubric.file.reference and not subject.reference:
        rule = "no_reference"
    elif pairwise and not (subject.opponent or "").strip():
        rule = "no_opponent"
    elif pairwise and unasked(subject):
        rule = "same_answer"
    return Verdict("", 0, status="dropped", rule=rule) if rule else None
