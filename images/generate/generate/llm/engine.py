"""The request engine: cache first, then budget, slots and tries until there is an answer or a reason why not."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from contract.failures import Failure
from generate.llm.answer import Answer, Ended
from generate.llm.batches import Batches
from generate.llm.cache import AnswerCache
from generate.llm.health import Health
from generate.llm.purse import Purses
from generate.llm.question import Question
from generate.llm.quiet import QuietMoments
from generate.llm.server import Refused, Server, Trouble
from generate.llm.slots import Slots
from generate.llm.spending import Meter, Spent
from generate.llm.streak import Streak
from generate.llm.tokens import most_tokens
from generate.llm.waiting import backoff
from generate.llm.ways import Way

STORE_THREADS = 49
"""Enough for all three ways into an S3 cache, and the purse."""
READY = 64
"""Requests that are enough to wait for a slot; others are made ready when nothing else is to do."""
WAITING_PER_SLOT = 2
"""Answers that may wait to be used while others come, for each request under way: some 10 KB each."""
LAST_ANSWERS_SECONDS = 2.5
"""How long requests under way may still bring their paid answers home when the run gives up or is told to stop, which
has to be over in four seconds."""


@dataclass(frozen=True)
class Retries:
    """How often and how long to try: `attempts` per request, first wait `backoff` seconds, `seed` of the jitter."""

    attempts: int
    backoff: float
    seed: int


@dataclass(frozen=True)
class Channel:
    """One server and what this run knows of it: how many requests it takes at once, and whether it lives."""

    server: Server
    slots: Slots
    health: Health
    streak: Streak = field(default_factory=Streak)


class Engine:
    """Answers questions. Each answer is kept durably before anyone sees it, so that none is ever paid twice."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        cache: AnswerCache,
        meter: Meter,
        purses: Purses,
        retries: Retries,
        log: logging.Logger,
        fallbacks: Callable[[Question], Sequence[Question]] = lambda question: (),
    ) -> None:
        self.channels, self.cache, self.meter, self.retries = channels, cache, meter, retries
        self.log, self.fallbacks = log, fallbacks
        self.learn: Callable[[Question, Answer], None] = lambda question, answer: None
        self.cached = Spent()
        self.troubles: Counter[str] = Counter()
        self.answered_by_fallback = 0
        self._asked: dict[str, asyncio.Event] = {}
        self._under_way: set[asyncio.Task[Answer]] = set()
        self._quiet = QuietMoments(WAITING_PER_SLOT * sum(channel.slots.most for channel in channels.values()))
        self._threads = ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="answers")
        self._known = Batches(cache.get_all, cache.threads, self._threads)
        self._kept = Batches(cache.put_all, cache.threads, self._threads)
        self._forgotten = Batches(cache.forget_all, cache.threads, self._threads)
        self._recorded = Batches(purses.record, purses.threads, self._threads)

    async def ask(self, question: Question, order: int) -> Ended:
        """The answer to a question. `order` decides who goes first when slots are short. One that was paid for now is
        handed over in a quiet moment: what is done with it is done while the server works.

        Raises `RemoteTrouble` or `BadConfig` when it makes no sense to go on with any question.
        """
        while first := self._asked.get(question.key):  # the same question twice at once is paid once
            await first.wait()
        self._asked[question.key] = asyncio.Event()
        try:
            questions = [question, *self.fallbacks(question)]
            for one in questions:
                if answer := await self._known.do(one):
                    self.cached += self._bill(one, answer)
                    return Ended("answered", answer)
            ended = await self._pursue_each(questions, order)
        finally:
            self._asked.pop(question.key).set()
        await self._quiet.come()
        return ended

    async def ready_enough(self) -> None:
        """Return at once while requests run short, else in a quiet moment: before more rows are made ready."""
        if sum(channel.slots.waiting for channel in self.channels.values()) >= READY:
            await self._quiet.come()

    async def close(self) -> None:
        """Wait for answers under way, then close everything."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LAST_ANSWERS_SECONDS)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        for channel in self.channels.values():
            await channel.server.close()
        self._threads.shutdown()

    async def _pursue_each(self, questions: Sequence[Question], order: int) -> Ended:
        """Ask the first; where it is given up, the next, as long as there is one."""
        *more, last = questions
        for question in more:
            if self._health(question).gave_up:
                continue
            try:
                ended = await self._pursue(question, order)
            except Failure as failure:
                self._give_up(question, failure)
                continue
            if ended.status != "failed":
                self.answered_by_fallback += question is not questions[0] and ended.status == "answered"
                return ended
        try:
            ended = await self._pursue(last, order)
        except Failure as failure:
            self._give_up(last, failure)
            raise
        self.answered_by_fallback += bool(more) and ended.status == "answered"
        return ended

    def _give_up(self, question: Question, why: Failure) -> None:
        """Ask this server no more in this run."""
        health = self._health(question)
        if not health.gave_up:
            fields = {"server": health.server, "why": why.sentence()}
            self.log.warning("gave up a server", extra={"fields": fields})
        health.gave_up = health.gave_up or why

    async def _pursue(self, question: Question, order: int) -> Ended:
        """Try until there is an answer, the tries are used up, or the budget is."""
        troubles: list[Trouble] = []
        asked = time.monotonic()
        way: Way | None = None
        await self.channels[question.server].server.ways.wait(question.model)
        while True:
            try:
                answer = await self._try(question, order, way)
                if answer is None:
                    return Ended("skipped", rule="budget", detail=self._limit())
                return Ended("answered", answer)
            except Refused as refused:
                if refused.way is None:
                    self._health(question).refused(refused.detail)
                    return Ended("failed", rule="bad_request", detail=refused.detail)
                way = refused.way
            except Trouble as trouble:
                troubles.append(trouble)
                if not await self._wait(question, troubles, asked):
                    return Ended("failed", rule=trouble.kind, detail=f"{trouble.detail}, after {len(troubles)} tries")

    async def _wait(self, question: Question, troubles: list[Trouble], asked: float) -> bool:
        """Wait before another try; False where there shall be none. A 429 costs patience only, never an attempt."""
        last = troubles[-1]
        if sum(trouble.kind != "rate_limited" for trouble in troubles) >= self.retries.attempts:
            self._health(question).failed(last.detail)
            return False
        seconds = last.wait
        if seconds is None:
            seconds = backoff(self.retries.backoff, len(troubles), f"{self.retries.seed}:{question.key}")
        if self._health(question).out_of_patience(asked, troubles[0].at, seconds, last.detail):
            return False
        await asyncio.sleep(seconds)
        return True

    async def _try(self, question: Question, order: int, way: Way | None) -> Answer | None:
        """One HTTP request within slots and budget; None where the budget is spent.

        The request is shielded: when the run gives up, what it already pays for is still brought home.
        """
        worst = self.meter.prices.bill(question, most_tokens(question.messages), question.max_tokens)
        slots = self.channels[question.server].slots
        epoch = await slots.take(order)
        try:
            if gave_up := self._health(question).gave_up:
                raise gave_up
            if not await self.meter.reserve(worst):
                slots.free()
                return None
            self._quiet.urgent()
            task = asyncio.ensure_future(self._send(question, way, worst, epoch))
            task.add_done_callback(self._home)
            self._under_way.add(task)
        except (asyncio.CancelledError, Failure):
            slots.free()
            raise
        return await asyncio.shield(task)

    async def _send(self, question: Question, way: Way | None, worst: Spent, epoch: int) -> Answer:
        """One request and the keeping of its answer, in one slot: no more answers than slots can be lost to a kill.

        That it is sent is written before, what it cost before the answer is kept: a kill in between loses the answer,
        never the spending, and leaves a note of what may have been paid for nothing.
        """
        try:
            answer = await self._request(question, way, worst, epoch)
            await self._recorded.do(self.meter.outlay)
            kept = await self._kept.do((question, answer))
            self.channels[question.server].server.kept(question)
            await self._forget(self.channels[question.server], question, kept)
            return kept
        finally:
            self.channels[question.server].slots.free()

    async def _forget(self, channel: Channel, question: Question, answer: Answer) -> None:
        """Look at an answer's shape. Raises `RemoteTrouble` for one of too many wrong ones, which are forgotten."""
        if wrong := channel.streak.add(question, answer):
            await asyncio.gather(*(self._forgotten.do(one) for one in wrong))
            failure = channel.health.trouble(channel.streak.why)
            self._give_up(question, failure)
            raise failure

    async def _request(self, question: Question, way: Way | None, worst: Spent, epoch: int) -> Answer:
        channel = self.channels[question.server]
        actual, held = Spent(), Spent()
        try:
            await self._recorded.do(self.meter.outlay)
            actual, held = Spent(1), worst
            self._quiet.urgent()
            answer = await channel.server.ask(question, way)
            self._quiet.urgent()
            actual, held = self._bill(question, answer), Spent() if answer.metered else worst
            self.meter.unmetered += not answer.metered
        except Trouble as trouble:
            held = self._held(trouble, worst)
            self._note(trouble, channel, epoch)
            raise
        except Refused:
            held = Spent()
            raise
        except Failure as failure:
            self._give_up(question, failure)
            held = Spent()
            raise
        finally:
            self.meter.settle(worst, actual, held)
        channel.slots.answered()
        channel.health.answered()
        self.learn(question, answer)
        return answer

    def _held(self, trouble: Trouble, worst: Spent) -> Spent:
        if trouble.kind == "timeout":
            return worst
        return self.meter.typical(worst) if trouble.billed else Spent()

    def _note(self, trouble: Trouble, channel: Channel, epoch: int) -> None:
        self.troubles[trouble.kind] += 1
        if trouble.kind == "rate_limited":
            channel.slots.limited(epoch)

    def _health(self, question: Question) -> Health:
        return self.channels[question.server].health

    def _bill(self, question: Question, answer: Answer) -> Spent:
        return self.meter.prices.bill(question, answer.prompt_tokens or 0, answer.completion_tokens or 0)

    def _home(self, task: asyncio.Task[Answer]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain about one whose asker has gone

    def _limit(self) -> str:
        return f"the limit on {self.meter.reached} is reached"
