"""A stage's dealings with its models: open, ask for every row, close, account for it."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from contract.config.llm import Endpoint, LlmConfig
from contract.failures import BudgetReached, RemoteTrouble
from contract.manifest import Cost, Status
from contract.records import Message
from generate.llm.answer import Ended
from generate.llm.cache import AnswerCache
from generate.llm.channels import open_channels
from generate.llm.endpoints import api_keys, next_questions, own_endpoint, used_endpoints
from generate.llm.engine import Engine, Retries
from generate.llm.estimating import LOOKED_UP, expected
from generate.llm.estimating import Estimate as Estimate  # what stages that open a session hand over
from generate.llm.experience import Experiences, Name, Planned
from generate.llm.ordered import in_order
from generate.llm.purse import Purse, Purses
from generate.llm.question import Question, asked
from generate.llm.sampling import drawn_places
from generate.llm.spending import Meter, Prices
from generate.llm.stopping import run_until_stopped
from generate.llm.ways import FORMATS
from stagekit.job import Job

T = TypeVar("T")
R = TypeVar("R")
RUN = "NOCTURNE_RUN"
"""Names the DAG run whose limits hold; unset where a stage is run by hand."""
WINDOW_MINIMUM = 512
WINDOW_PER_SLOT = 4
"""Rows in memory at once (some 10 KB each): enough that one told to wait at the head does not idle the slots."""
Ends = Counter[tuple[Status, str]]
"""How many rows ended so: by status and rule."""


class Session:
    """Models at one or more servers, one budget, one cache.

    `endpoints` are all that may be asked besides those that share the stage's rows and the fallbacks.
    """

    def __init__(self, job: Job, endpoints: Iterable[Endpoint] = ()) -> None:
        self.job = job
        self.config: LlmConfig = job.config
        self.endpoints = used_endpoints(self.config, endpoints)
        purses = [Purse(job.scratch())]
        if run := os.environ.get(RUN):
            purses.append(Purse(job.cache("spent"), run))
        before, *others = (purse.before() for purse in purses)
        self.meter = Meter(self.config.budget, Prices(self.endpoints), before, self.config.limits, *others)
        self._purses = Purses(purses)
        self._cache = AnswerCache(job.cache("llm"), job.log)
        self._experiences = Experiences(job.cache("experience"), f"{job.stage.name}:")
        self._planned: dict[Name, Planned] = {}
        self._keys = api_keys(self.endpoints, job.stage.name)

    async def ask(self, question: Question, order: int) -> Ended:
        """The answer to a question. `order` decides who goes first when slots are short."""
        return await self.engine.ask(question, order)

    def question(
        self, messages: tuple[Message, ...], schema: dict[str, Any], endpoint: Endpoint | None = None
    ) -> Question:
        """A question with the stage's settings, to its own model (the one whose turn it is) unless another is named."""
        if endpoint is None or endpoint == self.config.endpoint:
            endpoint = own_endpoint(self.config, messages)
        return asked(self.config, endpoint, messages, schema)

    def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work` with the models at hand, then write cost and figures to the job's output.

        SIGTERM stops it; answers that are paid for come home first.
        """
        run_until_stopped(self._run(work))

    @asynccontextmanager
    async def each(self, rows: Iterable[T], work: Callable[[int, T], Awaitable[R]]) -> AsyncIterator[AsyncIterator[R]]:
        """Work on rows, many at once; results come in the rows' order, in bounded memory."""
        batch = self.config.transport == "batch"
        window = self.config.batch_lines if batch else max(WINDOW_MINIMUM, WINDOW_PER_SLOT * self.config.concurrency)
        async with aclosing(in_order(rows, work, window, self.engine.ready_enough)) as results:
            yield results

    def log_estimate(self, parts: Sequence[Estimate]) -> None:
        """Say what the run may take, and what it probably will, before anything is sent; `parts` are the kinds of
        questions that it may ask."""
        prompt = " ".join(dict.fromkeys(part.prompt for part in parts))
        self._experiences = Experiences(self.job.cache("experience"), f"{self.job.stage.name}:{prompt}")
        left, config = self._left(parts), self.config
        probable = expected(parts, self._shares, self._experiences.of, config.max_tokens, left)
        self._planned = probable.planned
        known, metrics = self.meter.prices.known, self.job.output.metrics
        if probable.learnt:
            metrics["estimated_tokens"] = round(probable.prompt_tokens + probable.completion_tokens)
            metrics["estimated_money"] = round(probable.money, 6) if known else None
        about = "about" if probable.learnt else "at_most"
        fields = {
            "requests": sum(part.requests for part in parts),
            "answered_already": f"{1 - left:.0%}",
            "prompt_tokens_about": round(probable.prompt_tokens),
            f"completion_tokens_{about}": round(probable.completion_tokens),
            f"money_{about}": f"{probable.money:.4f}" if known else "unknown",
            **({"money_at_most": f"{self._worst(parts):.4f}"} if known else {}),
            "rests_on": "what these prompts took before" if probable.learnt else "the length of prompts, max_tokens",
            **{f"limit_{name}": limit for name, limit in self._limits.items()},
        }
        self.job.log.info("estimate", extra={"fields": fields})

    def stop_if_spent(self, done: int, total: int, unit: str) -> None:
        """After a row that was skipped for want of budget: raises `BudgetReached` where the config says `fail`."""
        if self.config.on_budget == "fail":
            raise BudgetReached(
                f"the limit on {self.meter.reached} is reached after {done} {unit}: {self.spent_in_words}",
                where=f"{self.job.stage.name} ({total} {unit})",
                hint="raise the limit and run again: answers so far are kept and are not paid twice",
            )

    def check_failed(self, ends: Ends, total: int, unit: str) -> None:
        """Raise `RemoteTrouble` when too many rows failed for reasons that another try may mend."""
        failed = {rule: n for (status, rule), n in ends.items() if status == "failed" and rule != "bad_request"}
        if sum(failed.values()) > self.config.max_failed * total:
            reasons = ", ".join(f"{rule} {n}" for rule, n in sorted(failed.items()))
            raise RemoteTrouble(
                f"the requests of {sum(failed.values())} of {total} {unit} failed ({reasons})",
                expected=f"at most {self.config.max_failed:.1%} (`max_failed`)",
                where=", ".join(sorted(self.engine.channels)),
                hint="run again: only these are asked again, answers so far are kept",
            )

    @property
    def spent_in_words(self) -> str:
        """What was spent of what was allowed."""
        spent = self.meter.spent
        parts = [f"{spent.requests} requests", f"{spent.tokens} tokens"]
        if self.meter.money is not None:
            parts.append(f"{self.meter.money:.6g} US dollars")
        return f"{', '.join(parts)} of {', '.join(f'{limit:g} {name}' for name, limit in self._limits.items())}"

    @property
    def _limits(self) -> dict[str, float]:
        """The limits by name; the tighter one where stage and run have both."""
        pairs = [pair for budget in (self.config.limits, self.config.budget) for pair in budget.model_dump().items()]
        known = sorted(((name, limit) for name, limit in pairs if limit is not None), reverse=True)
        return dict(known)

    def _left(self, parts: Sequence[Estimate]) -> float:
        """The share of questions that the cache cannot answer, by a sample of them."""
        questions = [question for part in parts for question in part.sample]
        some = [questions[place] for place in drawn_places(len(questions), LOOKED_UP)]
        return 1 - self._cache.known(some) / max(1, len(some))

    def _shares(self, part: Estimate) -> list[tuple[Endpoint, float]]:
        """Each model that is asked while all is well, and its share of the requests."""
        if part.endpoint and part.endpoint != self.config.endpoint:
            return [(part.endpoint, 1.0)]
        weights = [one.weight for one in self.config.endpoints]
        shared = [(one, one.weight / sum(weights)) for one in self.config.endpoints]
        return [*shared] or [(self.config.endpoint, 1.0)]

    def _worst(self, parts: Sequence[Estimate]) -> float:
        """What all questions cost at the dearest model that they may go to, each answer at its longest."""
        return sum(
            max(
                _price(one, part.prompt_tokens, part.requests * self.config.max_tokens)
                for one in [*(endpoint for endpoint, _ in self._shares(part)), *self.config.fallbacks]
            )
            for part in parts
        )

    def _told(self) -> dict[str, object]:
        """What a line of progress says about spending."""
        spent = self.meter.spent
        under_way = sum(channel.slots.taken for channel in self.engine.channels.values())
        money = "unknown" if self.meter.money is None else f"{self.meter.money:.4f}"
        return {"sent": spent.requests, "under_way": under_way, "tokens": spent.tokens, "money": money}

    async def _run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.engine = self._engine()
        self.engine.learn = lambda question, answer: self._experiences.add(question, answer)
        self.job.told = self._told
        try:
            await work()
            if not self.meter.reached:
                self._experiences.completed(self._planned)
        finally:
            await self.engine.close()
            self._purses.record([self.meter.outlay])
            self._experiences.save()
        self._report(self.engine)

    def _engine(self) -> Engine:
        config = self.config
        channels = open_channels(config, self.endpoints, self._keys, self.job.cache, self.job.log)
        retries = Retries(config.attempts, config.backoff, config.seed)
        return Engine(
            channels,
            self._cache,
            self.meter,
            self._purses,
            retries,
            self.job.log,
            partial(next_questions, config),
        )

    def _report(self, engine: Engine) -> None:
        """Cost and figures of the run. Tries of this dataset that were killed count: their money was spent on it."""
        meter, spent = self.meter, self.meter.spent
        channels = engine.channels.values()
        self.job.output.cost = Cost(
            requests=spent.requests,
            cached_requests=engine.cached.requests,
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            money=meter.money,
        )
        self.job.output.metrics |= {
            "answer_format": FORMATS[max(channel.server.ways.plainest for channel in channels)],
            "answered_by_fallback": engine.answered_by_fallback,
            "not_sent": ", ".join(sorted(set().union(*(channel.server.ways.left_out for channel in channels)))) or None,
            "cached_prompt_tokens": engine.cached.prompt_tokens,
            "cached_completion_tokens": engine.cached.completion_tokens,
            "in_flight_at_kills": meter.doubtful.requests,
            "lost_tokens_held": meter.doubtful.tokens,
            "lost_money_held": meter.doubtful.money if meter.prices.known else None,
            "lowest_concurrency": min(channel.slots.lowest for channel in channels),
            "budget_reached": meter.reached,
            **{f"tries_{kind}": number for kind, number in sorted(engine.troubles.items())},
        }
        if meter.doubtful.requests:
            money = meter.doubtful.money if meter.prices.known else "unknown"
            doubt = {"requests": meter.doubtful.requests, "money_at_most": money}
            self.job.log.warning("under way when earlier tries were killed, maybe billed", extra={"fields": doubt})
        if meter.reached:
            fields = {"limit": meter.reached, "spent": self.spent_in_words}
            self.job.log.warning("budget reached", extra={"fields": fields})


def _price(endpoint: Endpoint, prompt_tokens: int, completion_tokens: int) -> float:
    price = endpoint.price
    return (prompt_tokens * price.prompt + completion_tokens * price.completion) / 1e6 if price else 0.0
