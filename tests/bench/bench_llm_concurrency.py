"""How close the request engine comes to the least possible time, by number of requests under way.

    PYTHONPATH=images/shared:images/generate:tests .venv/generate/bin/python tests/bench/bench_llm_concurrency.py

A server in another process answers after half a second. `ratio` is wall time over n / C * 0.5 s; the cache of answers
is a local folder, written durably. With faults, 10 % of requests get a 429 (Retry-After: 1) and 2 % are cut off.
"""

import argparse
import asyncio
import logging
import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection

from contract.config.llm import Budget
from contract.records import Message
from contract.uris import parse_uri
from generate.instruct.pairs import SCHEMA
from generate.llm.cache import AnswerCache
from generate.llm.engine import Channel, Engine, Retries
from generate.llm.health import Health
from generate.llm.ordered import in_order
from generate.llm.purse import Purse
from generate.llm.question import Question
from generate.llm.server import ChatServer
from generate.llm.slots import Slots
from generate.llm.spending import Meter, Prices
from llm_server import Behaviour, LlmServer
from stagekit.store import open_store

LATENCY = 0.5
FAULTS = {"rate_limited": 0.10, "cut_off": 0.02, "retry_after": ("1",)}


def serve(pipe: Connection, behaviour: Behaviour) -> None:
    """Run the server until the pipe says so."""
    with LlmServer(behaviour) as server:
        pipe.send(server.url)
        pipe.recv()


def question(url: str, number: int) -> Question:
    text = (
        f"Write 1 pair.\n--------\nSentence number {number} says nothing much, but it says it at some length.\n--------"
    )
    messages = (Message(role="system", content="JSON"), Message(role="user", content=text))
    return Question(url, "model", messages, temperature=0.7, max_tokens=500, seed=0, schema=SCHEMA)


async def run(url: str, number: int, concurrency: int, folder: str) -> None:
    store = open_store(parse_uri(folder))
    engine = Engine(
        {url: Channel(ChatServer(url, "none", 60, concurrency), Slots(concurrency), Health(url, 60))},
        AnswerCache(store, logging.getLogger()),
        Meter(Budget(), Prices([])),
        Purse(store),
        Retries(10, 0.1, 0),
    )
    ended = [e async for e in in_order((question(url, n) for n in range(number)), _ask(engine), number)]
    assert all(item.answer for item in ended)
    await engine.close()


def _ask(engine: Engine):
    async def ask(order: int, item: Question):
        return await engine.ask(item, order)

    return ask


def measure(concurrency: int, rounds: int, faults: dict) -> str:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs, Behaviour(latency=LATENCY, **faults)))
    server.start()
    url, number = ours.recv(), rounds * concurrency
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.monotonic(), time.process_time()
        asyncio.run(run(url, number, concurrency, folder))
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    ours.send("stop")
    server.join()
    ratio = wall / (number / concurrency * LATENCY)
    return f"{concurrency:>5} {number:>7} {wall:>8.2f} {ratio:>7.2f} {cpu / number * 1000:>10.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("concurrency", nargs="*", type=int, default=[4, 32, 128])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--faults", action="store_true")
    options = parser.parse_args()
    print(f"{'C':>5} {'n':>7} {'wall s':>8} {'ratio':>7} {'CPU ms/req':>10}")
    for concurrency in options.concurrency:
        print(measure(concurrency, options.rounds, FAULTS if options.faults else {}), flush=True)


if __name__ == "__main__":
    main()
