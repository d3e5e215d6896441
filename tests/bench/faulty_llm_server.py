"""The tests' server with their faults, run by measure_llm_faults.py in a process of its own, in bounded memory.

    python faulty_llm_server.py SCENARIO CLOCK BEGINS

Trouble begins with request number BEGINS, so that it falls into the run however fast that is, and lasts for a minute of
the server's own clock (wrong schema: an hour), which runs CLOCK times as fast as the real one. Prints its address,
then, for each line on standard input, what it counted so far.
"""

import asyncio
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
LATENCY = 0.1
SLOWER = 10
LASTS = {"dies": 60, "slows": 60, "schema": 3_600}
"""Seconds of the server's own clock."""


class Faulty(LlmServer):
    """Counts instead of remembering; in trouble for a while by its own clock."""

    def __init__(self, scenario: str, clock: float, begins: int) -> None:
        super().__init__(Behaviour(latency=LATENCY, **(MIX if scenario == "mix" else {})), seed=2)
        self.scenario, self.begins, self.lasts = scenario, begins, LASTS.get(scenario, 0) / clock
        self.outcomes, self.answered_tokens, self.number = Counter(), [0, 0], 0
        self.questions, self.right, self.twice = set(), set(), 0
        self.first, self.trouble = None, {}
        self._ending = None

    @property
    def in_trouble(self) -> bool:
        return "began" in self.trouble and "ended" not in self.trouble

    async def _handle(self, target, headers, data, writer) -> None:
        self.first = self.first or time.monotonic()
        if self.number >= self.begins and self.lasts and not self.trouble:
            self._note("began")
            self._ending = asyncio.ensure_future(self._end_trouble())
        if self.in_trouble and self.scenario == "dies":
            self._break_off()
        self.behave(
            latency=LATENCY * (SLOWER if self.in_trouble and self.scenario == "slows" else 1),
            prose=self.in_trouble and self.scenario == "schema",
        )
        try:
            await super()._handle(target, headers, data, writer)
        finally:
            self._count()

    def _note(self, what: str) -> None:
        self.trouble[what] = {"request": self.number, "second": round(time.monotonic() - self.first, 1)}

    async def _end_trouble(self) -> None:
        """Where the server dies its port refuses connections meanwhile."""
        await asyncio.sleep(self.lasts)
        if self.scenario == "dies":
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self._note("ended")

    def _break_off(self) -> None:
        """Close the port and every connection; what is under way on them is never answered."""
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task(), self._ending}:
            task.cancel()
        for seen in self.seen:
            seen.outcome = seen.outcome or "closed"
        raise ConnectionError

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
                self._count_answer(seen, bytes.fromhex(seen.question)[:8])
        self.seen = open_ones

    def _count_answer(self, seen, question: bytes) -> None:
        self.answered_tokens[0] += seen.prompt_tokens
        self.answered_tokens[1] += seen.completion_tokens
        self.questions.add(question)
        if seen.outcome != "wrong_shape":
            self.twice += question in self.right
            self.right.add(question)

    def figures(self) -> dict:
        lost = ("rate_limited", "server_error", "cut_off", "closed")
        return {
            "requests": self.number,
            "answered": self.number - sum(self.outcomes[kind] for kind in lost),
            "questions": len(self.questions),
            "twice": self.twice,
            "tokens": self.answered_tokens,
            "outcomes": dict(self.outcomes),
            "trouble": self.trouble,
            "seconds": round(time.monotonic() - self.first, 1) if self.first else 0,
        }


def main() -> None:
    with Faulty(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])) as server:
        print(json.dumps({"url": server.url}), flush=True)
        for _ in sys.stdin:
            print(json.dumps(server.figures()), flush=True)


if __name__ == "__main__":
    main()
