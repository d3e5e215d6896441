"""A stage's dealings with its models: open, ask for every row, close, account for it."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from contract.config.llm import Endpoint, LlmConfig
from contract.failures import BadConfig, BudgetReached, RemoteTrouble
from contract.manifest import Cost, Status
from contract.records import Message
from generate.llm.answer import Ended
from generate.llm.cache import AnswerCache
from generate.llm.engine import Channel, Engine, Retries
from generate.llm.health import Health
from generate.llm.ordered import in_order
from generate.llm.purse import Purse
from generate.llm.question import OPENAI, Question, asked, server_name
from generate.llm.server import ChatServer
from generate.llm.slots import Slots
from generate.llm.spending import Meter, Prices
from generate.llm.stopping import run_until_stopped
from generate.llm.ways import FORMATS, Ways
from stagekit.job import Job

T = TypeVar("T")
R = TypeVar("R")
WINDOW_MINIMUM = 512
WINDOW_PER_SLOT = 4
"""Rows in memory at once (some 10 KB each): enough that one told to wait at the head does not idle the slots."""
Ends = Counter[tuple[Status, str]]
"""How many rows ended so: by status and rule."""


@dataclass(frozen=True)
class Estimate:
    """What the stage may send at most, before anything is known of the cache: requests and prompt tokens."""

    requests: int
    prompt_tokens: int


class Session:
    """Models at one or more servers, one budget, one cache. `endpoints` are all that may be asked."""

    def __init__(self, job: Job, endpoints: Iterable[Endpoint]) -> None:
        self.job, self.endpoints = job, list(endpoints)
        self.config: LlmConfig = job.config
        purse = Purse(job.scratch())
        self.meter = Meter(self.config.budget, Prices(self.endpoints), purse.before())
        self._purse = purse
        self._key = _api_key(self.endpoints, job.stage.name)

    async def ask(self, question: Question, order: int) -> Ended:
        """The answer to a question. `order` decides who goes first when slots are short."""
        return await self.engine.ask(question, order)

    def question(
        self, messages: tuple[Message, ...], schema: dict[str, Any], endpoint: Endpoint | None = None
    ) -> Question:
        """A question with the stage's settings, to its own model unless another is named."""
        return asked(self.config, endpoint or self.config.endpoint, messages, schema)

    def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work` with the models at hand, then write cost and figures to the job's output.

        SIGTERM stops it; answers that are paid for come home first.
        """
        run_until_stopped(self._run(work))

    @asynccontextmanager
    async def each(self, rows: Iterable[T], work: Callable[[int, T], Awaitable[R]]) -> AsyncIterator[AsyncIterator[R]]:
        """Work on rows, many at once; results come in the rows' order, in bounded memory."""
        window = max(WINDOW_MINIMUM, WINDOW_PER_SLOT * self.config.concurrency)
        async with aclosing(in_order(rows, work, window)) as results:
            yield results

    def log_estimate(self, most: Estimate) -> None:
        """Say what the run may take before anything is sent."""
        tokens = most.requests * self.config.max_tokens
        worst = max((_price(one, most.prompt_tokens, tokens) for one in self.endpoints), default=0.0)
        fields = {
            "requests": most.requests,
            "prompt_tokens_about": most.prompt_tokens,
            "completion_tokens_at_most": tokens,
            "money_at_most": f"{worst:.4f}" if self.meter.prices.known else "unknown",
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
        return {name: limit for name, limit in self.config.budget.model_dump().items() if limit is not None}

    async def _run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.engine = self._engine()
        try:
            await work()
        finally:
            await self.engine.close()
        self._report(self.engine)

    def _engine(self) -> Engine:
        config = self.config
        servers = sorted({server_name(one.base_url) for one in self.endpoints})
        channels = {server: self._channel(server) for server in servers}
        retries = Retries(config.attempts, config.backoff, config.seed)
        return Engine(channels, AnswerCache(self.job.cache("llm"), self.job.log), self.meter, self._purse, retries)

    def _channel(self, server: str) -> Channel:
        config = self.config
        return Channel(
            ChatServer(server, self._key, config.timeout, config.concurrency, Ways(server, self.job.cache("servers"))),
            Slots(config.concurrency),
            Health(server, config.patience),
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
            "not_sent": ", ".join(sorted(set().union(*(channel.server.ways.left_out for channel in channels)))) or None,
            "cached_prompt_tokens": engine.cached.prompt_tokens,
            "cached_completion_tokens": engine.cached.completion_tokens,
            "lost_tokens_held": meter.held.tokens,
            "lowest_concurrency": min(channel.slots.lowest for channel in channels),
            "budget_reached": meter.reached,
            **{f"tries_{kind}": number for kind, number in sorted(engine.troubles.items())},
        }
        if meter.reached:
            fields = {"limit": meter.reached, "spent": self.spent_in_words}
            self.job.log.warning("budget reached", extra={"fields": fields})


def _price(endpoint: Endpoint, prompt_tokens: int, completion_tokens: int) -> float:
    price = endpoint.price
    return (prompt_tokens * price.prompt + completion_tokens * price.completion) / 1e6 if price else 0.0


def _api_key(endpoints: list[Endpoint], stage: str) -> str:
    """The key from the environment; a server of one's own may need none."""
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key and any(server_name(endpoint.base_url) == OPENAI for endpoint in endpoints):
        raise BadConfig(
            "OPENAI_API_KEY is not set",
            expected="a key for OpenAI's server in the environment",
            where=stage,
            hint="set it, or name another server with `base_url`, or use `provider: extractive`",
        )
    return key or "none-needed"
