"""No host is asked more often than it bears."""

import threading
import time
from collections import defaultdict


class Pace:
    """Keeps `delay` seconds between two requests to one origin, more where the origin asks for it."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.slowest = delay
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._delays: dict[str, float] = {}
        self._next: dict[str, float] = {}

    def slow_down(self, origin: str, delay: float) -> None:
        """An origin's own wish (`Crawl-delay`, seconds); the longer one counts."""
        self._delays[origin] = max(self.delay, delay)
        self.slowest = max(self.slowest, delay)

    def hold(self, origin: str, seconds: float) -> None:
        """Nothing to this origin for so many seconds (`Retry-After`)."""
        self._next[origin] = max(self._next.get(origin, 0.0), time.monotonic() + seconds)

    def wait(self, origin: str) -> None:
        """Return when the origin's turn has come."""
        with self._locks[origin]:
            pause = self._next.get(origin, 0.0) - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            self._next[origin] = time.monotonic() + self._delays.get(origin, self.delay)
