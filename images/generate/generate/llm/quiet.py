"""What can wait for a quiet moment: using an answer, while others still come and requests still leave."""

import asyncio
from collections import deque


class QuietMoments:
    """Lets those who wait go on in the order in which they came: one in each turn of the event loop in which nothing
    urgent happened. With more than `most` waiting it is one in every turn, so that they do not pile up.

    Hundreds of answers that come at once are all kept, and their slots are asked with again, before the first is read:
    the server works meanwhile.
    """

    def __init__(self, most: int) -> None:
        self._most, self._busy = most, False
        self._waiting: deque[asyncio.Future[None]] = deque()

    def urgent(self) -> None:
        """Something happened that goes before: an answer came, a request left."""
        self._busy = True

    async def come(self) -> None:
        """Wait for a moment of one's own."""
        loop = asyncio.get_running_loop()
        self._waiting.append(moment := loop.create_future())
        if len(self._waiting) == 1:
            loop.call_soon(self._next)
        await moment

    def _next(self) -> None:
        if not self._busy or len(self._waiting) > self._most:
            moment = self._waiting[0]
            if not moment.done():  # else who waited for it was cancelled
                moment.set_result(None)
            self._waiting.popleft()
        self._busy = False
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next)
