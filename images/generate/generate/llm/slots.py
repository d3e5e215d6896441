"""How many requests are under way: fewer after a 429, slowly more with each success (AIMD, as TCP does)."""

import asyncio
import heapq
from itertools import count

DECREASE = 0.75


class Slots:
    """At most `most` at once. Whoever asked for the earliest chunk goes first; a request that waits holds no slot."""

    def __init__(self, most: int) -> None:
        self.most, self.limit, self.lowest = most, float(most), most
        self.taken = 0
        self._tickets = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._epoch = 0

    async def take(self, order: int) -> int:
        """Wait for a slot; returns the epoch to hand to `slow_down`."""
        if self.taken >= int(self.limit) or self._waiting:
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
            self.taken += 1
        return self._epoch

    def free(self) -> None:
        """Give a slot back."""
        self.taken -= 1
        self._admit()

    def slow_down(self, epoch: int) -> None:
        """After a 429; those of requests sent before the last slowing down say nothing new."""
        if epoch == self._epoch:
            self._epoch += 1
            self.limit = max(1.0, self.limit * DECREASE)
            self.lowest = min(self.lowest, int(self.limit))

    def speed_up(self) -> None:
        """After a success: one more slot for each round of successes."""
        self.limit = min(float(self.most), self.limit + 1 / self.limit)
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.taken < int(self.limit):
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self.taken += 1
                turn.set_result(None)
