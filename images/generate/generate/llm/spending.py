"""The budget: what was spent, what is promised to requests under way, and whether one more fits.

A request is sent only when the worst it can cost fits under every limit, next to what is spent and promised. So no
limit is ever passed, and a run stops at most one request's worst cost before it. An answer that was lost on its way
may have been billed, so it is held against the limits, though never reported as spent: one that was cut off at what an
answer has taken on average, one that timed out, which long answers do, at its worst. So are requests that were under
way when an earlier try was killed: each was promised in writing before it was sent.
"""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from contract.config.llm import Budget, Endpoint, Price
from contract.failures import BadConfig
from generate.llm.question import Question, server_name

PICO = 10**12
NO_LIMITS = Budget()


class Spent(NamedTuple):
    """An amount: requests sent, tokens, and money as far as prices are known, in whole picodollars: sums stay exact."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    picodollars: int = 0

    def __add__(self, other: "Spent") -> "Spent":  # type: ignore[override]
        a, b, c, d = self
        e, f, g, h = other
        return Spent(a + e, b + f, c + g, d + h)

    def __sub__(self, other: "Spent") -> "Spent":
        a, b, c, d = self
        e, f, g, h = other
        return Spent(a - e, b - f, c - g, d - h)

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def money(self) -> float:
        """US dollars."""
        return self.picodollars / PICO


NOTHING = Spent()


class Outlay(NamedTuple):
    """What was spent, and what may have been billed besides: the worst that requests without an answer can have cost.

    A request that was under way when its process was killed counts in `lost` alone, one whose answer was lost on its
    way counts among the requests of `spent`.
    """

    spent: Spent = NOTHING
    lost: Spent = NOTHING

    def __add__(self, other: "Outlay") -> "Outlay":  # type: ignore[override]
        return Outlay(self.spent + other.spent, self.lost + other.lost)

    def __sub__(self, other: "Outlay") -> "Outlay":
        return Outlay(self.spent - other.spent, self.lost - other.lost)

    @property
    def most(self) -> Spent:
        """Both together."""
        return self.spent + self.lost


NO_OUTLAY = Outlay()


class Prices:
    """What each model of a stage costs, by server and name. Raises nothing: an unknown price is `None`."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._prices = {(server_name(one.base_url), one.model): one.price for one in endpoints}
        self.known = all(self._prices.values())

    def bill(self, question: Question, prompt_tokens: int, completion_tokens: int) -> Spent:
        """One request to the question's model."""
        price = self._prices.get((question.server, question.model))
        return Spent(1, prompt_tokens, completion_tokens, _picodollars(price, prompt_tokens, completion_tokens))


def _picodollars(price: Price | None, prompt_tokens: int, completion_tokens: int) -> int:
    if price is None:
        return 0
    return prompt_tokens * _per_token(price.prompt) + completion_tokens * _per_token(price.completion)


def _per_token(per_million: float) -> int:
    """Picodollars per token of a price in US dollars per million tokens."""
    return round(per_million * PICO / 1_000_000)


class Meter:
    """Reserve before sending, settle afterwards. `before` is what earlier tries of the same dataset spent and lost.

    `limits` are those of a whole run, of which `run` was spent so far by all its stages (else as much as `before`).
    """

    def __init__(
        self,
        budget: Budget,
        prices: Prices,
        before: Outlay = NO_OUTLAY,
        limits: Budget = NO_LIMITS,
        run: Outlay | None = None,
    ) -> None:
        money = budget.money if budget.money is not None else limits.money
        if money is not None and not prices.known:
            raise BadConfig(
                f"a limit of {money:g} US dollars, but a model's price is unknown",
                expected="`price` with `prompt` and `completion` (US dollars per million tokens)",
                where="the limits on spending",
                hint="add `price` to the stage's section of the recipe, or limit tokens instead of money",
            )
        self.prices, self.before = prices, before
        others = NO_OUTLAY if run is None else run - before
        self._bounds = [("", budget, NOTHING), (" of the whole run", limits, others.most)]
        self.spent = before.spent
        self.held = NOTHING
        self.promised = NOTHING
        self.unmetered = 0
        self.reached: str | None = None
        self._answers = 0
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def reserve(self, worst: Spent) -> bool:
        """Promise a request its worst cost, in the order of asking; waits while other promises may yet free room.

        False once a limit is reached.
        """
        async with self._turn:
            while self.reached is None and (limit := self._passed_by(worst)):
                if self.promised == NOTHING:
                    self.reached = limit
                else:
                    self._changed.clear()
                    await self._changed.wait()
            if self.reached is None:
                self.promised += worst
        return self.reached is None

    def settle(self, worst: Spent, actual: Spent, held: Spent = NOTHING) -> None:
        """Take back a promise, enter what the request did cost, and hold what it may have cost besides."""
        self.promised -= worst
        self.spent += actual
        self.held += Spent(0, held.prompt_tokens, held.completion_tokens, held.picodollars)
        self._answers += actual.tokens > 0
        self._changed.set()

    def typical(self, worst: Spent) -> Spent:
        """What an answer has taken on average so far; the worst where none has come yet."""
        if not self._answers:
            return worst
        all_of_them, number = self.this_try, self._answers
        return Spent(
            1,
            all_of_them.prompt_tokens // number,
            all_of_them.completion_tokens // number,
            all_of_them.picodollars // number,
        )

    @property
    def this_try(self) -> Spent:
        """What was spent since the start of this process."""
        return self.spent - self.before.spent

    @property
    def outlay(self) -> Outlay:
        """What this process has spent, and what it would leave in doubt if it were killed now."""
        return Outlay(self.this_try, self.promised + self.held)

    @property
    def doubtful(self) -> Spent:
        """What may have been billed without an answer, in this try and earlier ones; its requests are those that were
        under way when an earlier try was killed."""
        return self.before.lost + self.held

    @property
    def money(self) -> float | None:
        """What was spent (US dollars), or None where price or usage is unknown."""
        return self.spent.money if self.prices.known and not self.unmetered else None

    def _passed_by(self, worst: Spent) -> str | None:
        """The name of the first limit that one more request could pass."""
        total = self.spent + self.doubtful + self.promised + worst
        return next((f"{name}{whose}" for whose, budget, more in self._bounds
                     if (name := self._passed(budget, total + more))), None)  # fmt: skip

    def _passed(self, budget: Budget, total: Spent) -> str | None:
        amounts: dict[str, float] = {"requests": total.requests, "tokens": total.tokens}
        if self.prices.known:
            amounts["money"] = total.money
        limits = ((name, getattr(budget, name)) for name in amounts)
        return next((name for name, limit in limits if limit is not None and amounts[name] > limit), None)
