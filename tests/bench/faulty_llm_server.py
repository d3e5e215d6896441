"""The tests' server with their faults, run by measure_llm_faults.py in a process of its own, in bounded memory.

    python faulty_llm_server.py SCENARIO CLOCK

Prints its address, then, for each line on standard input, what it counted so far.
"""

import json
import sys
import time
from collections import Counter

from llm_server import Behaviour, LlmServer

MIX = {
    "rate_limited": 0.10,
    "server_error": 0.05,
    "cut_off": 0.03,
    "malformed": 0.05,
    "refusal": 0.02,
    "retry_after": ("", "", "0.1"),
}
LATENCY = 0.005
BEGINS = 3.0
"""Seconds of the real clock after the first request at which trouble begins."""


class Faulty(LlmServer):
    """Counts instead of remembering; in trouble for a while by its own clock."""

    def __init__(self, scenario: str, clock: float) -> None:
        super().__init__(Behaviour(latency=LATENCY, **(MIX if scenario == "mix" else {})), seed=2)
        self.scenario, self.clock = scenario, clock
        self.outcomes, self.answered_tokens, self.questions, self.number = Counter(), [0, 0], set(), 0
        self.first = None

    @property
    def in_trouble(self) -> bool:
        """A minute long, or an hour for answers in the wrong schema; the clock says how many times as fast."""
        self.first = self.first or time.monotonic()
        lasts = (3_600 if self.scenario == "schema" else 60) / self.clock
        return self.scenario != "mix" and BEGINS <= time.monotonic() - self.first < BEGINS + lasts

    async def _handle(self, target, headers, data, writer) -> None:
        trouble = self.in_trouble
        if trouble and self.scenario == "dies":
            self.outcomes["closed"] += 1
            raise ConnectionError
        self.behave(
            latency=LATENCY * (10 if trouble and self.scenario == "slows" else 1),
            prose=trouble and self.scenario == "schema",
        )
        try:
            await super()._handle(target, headers, data, writer)
        finally:
            self._count()

    def _count(self) -> None:
        """What has ended goes from the record into the sums."""
        open_ones = []
        for seen in self.seen:
            if not seen.outcome:
                open_ones.append(seen)
                continue
            self.number += 1
            self.outcomes[seen.outcome] += 1
            if seen.delivered:
                self.answered_tokens[0] += seen.prompt_tokens
                self.answered_tokens[1] += seen.completion_tokens
                self.questions.add(bytes.fromhex(seen.question)[:8])
        self.seen = open_ones

    def figures(self) -> dict:
        answered = sum(self.outcomes[kind] for kind in ("good", "malformed", "refusal", "short", "length"))
        return {
            "requests": self.number + self.outcomes["closed"],
            "answered": answered,
            "questions": len(self.questions),
            "tokens": self.answered_tokens,
            "outcomes": dict(self.outcomes),
        }


def main() -> None:
    with Faulty(sys.argv[1], float(sys.argv[2])) as server:
        print(json.dumps({"url": server.url}), flush=True)
        for _ in sys.stdin:
            print(json.dumps(server.figures()), flush=True)


if __name__ == "__main__":
    main()
