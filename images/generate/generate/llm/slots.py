"""How many requests are under way: fewer when the server limits the rate, slowly more with each success (AIMD)."""

import asyncio
import heapq
from itertools import count

DECREASE = 0.75
ROUND = 20
"""Outcomes over which the share of 429s is judged; as many as there are slots where those are more."""
TOLERATED = 0.2
"""Share of 429s in a round that changes nothing. A refused request costs nothing and waits outside the slots: offering
a little too much keeps a server busy; falling at each 429 would sink to four slots wherever a tenth is refused."""
BUNCH = 8
"""Waiting requests that get a slot in one turn of the event loop: the first are on their way, and answers are read,
before hundreds have been made ready to leave at once."""


class Slots:
    """At most `most` at once. Whoever asked for the earliest chunk goes first; a request that waits holds no slot."""

    def __init__(self, most: int) -> None:
        self.most, self.limit, self.lowest = most, float(most), most
        self.taken = 0
        self._tickets = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._epoch = self._good = self._limited = 0
        self._admitted = 0

    async def take(self, order: int) -> int:
        """Wait for a slot; returns the epoch to hand to `limited`."""
        if self.taken >= int(self.limit) or self._waiting or self._admitted >= BUNCH:
            turn = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (order, next(self._tickets), turn))
            self._admit()
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.free()
                raise
        else:
            self._grant()
        return self._epoch

    @property
    def waiting(self) -> int:
        """How many requests are ready to leave."""
        return len(self._waiting)

    def free(self) -> None:
        """Give a slot back."""
        self.taken -= 1
        self._admit()

    def limited(self, epoch: int) -> None:
        """A 429 came; those of requests sent before the last decrease say nothing new."""
        if epoch != self._epoch:
            return
        self._limited += 1
        if self._limited > TOLERATED * self._round:
            self.limit = max(1.0, self.limit * DECREASE)
            self.lowest = min(self.lowest, int(self.limit))
            self._epoch += 1
            self._good = self._limited = 0
        self._close_round()

    def answered(self) -> None:
        """An answer came: one more slot for each round of them."""
        self._good += 1
        self.limit = min(float(self.most), self.limit + 1 / self.limit)
        self._close_round()
        self._admit()

    @property
    def _round(self) -> int:
        return max(ROUND, int(self.limit))

    def _close_round(self) -> None:
        if self._good + self._limited >= self._round:
            self._good = self._limited = 0

    def _admit(self) -> None:
        while self._waiting and self.taken < int(self.limit) and self._admitted < BUNCH:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._grant()
                turn.set_result(None)

    def _grant(self) -> None:
        self.taken += 1
        self._admitted += 1
        if self._admitted == 1:
            asyncio.get_running_loop().call_soon(self._admit_more)

    def _admit_more(self) -> None:
        """The next turn of the event loop."""
        self._admitted = 0
        self._admit()
