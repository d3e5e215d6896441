"""How close requests come to the least possible time, by number under way: the whole instruct stage beside others.

    .venv/generate/bin/python tests/bench/bench_llm_concurrency.py [--peer-python PATH ...]

A server in a process of its own (tests/bench/lean_llm_server.py) answers after half a second. `ratio` is wall time over
requests / concurrency * 0.5 s, the median of `--runs` runs; imports do not count, everything else does. Ours is the
whole stage: chunks read, prompts made, each answer kept in the cache and its cost written down before it is used, pairs
checked, dataset committed. Others only send and receive: a thread pool with the sync openai client (`threads`), its
async client behind a semaphore (`async`), and what is found in each `--peer-python`: distilabel[openai]==1.5.3,
bespokelabs-curator==0.1.31. The server's own CPU is given, as it takes its share of the machine. `MB` is the peak of
resident memory over all of the client's processes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measured import measured

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LATENCY = 0.5
LONGEST_SECONDS = 240
PACKAGES = {"distilabel": "distilabel", "curator": "bespokelabs.curator"}


@contextmanager
def serving(figures: dict) -> Iterator[str]:
    """The server's address; what it counted is in `figures` afterwards."""
    command = [sys.executable, str(HERE / "lean_llm_server.py"), str(LATENCY)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        figures |= json.loads(server.communicate()[0])


def run(name: str, python: str, concurrency: int, number: int, chunks: str, parent: str) -> dict:
    """One run. What it writes stays until all are done: for a while after thousands of files were deleted, ext4 takes
    ten times as long to make a new one."""
    figures: dict = {}
    folder = tempfile.mkdtemp(dir=parent)
    with serving(figures) as url:
        arguments = [url, str(concurrency), str(number)]
        if name == "ours":
            command = [python, str(HERE / "llm_ours.py"), *arguments, chunks, folder]
        else:
            command = [python, str(HERE / "llm_peers.py"), name, *arguments, folder]
        done = measured(["timeout", str(LONGEST_SECONDS), *command], env=environment())
    return figures | {"resident": done.resident, "server": figures["cpu"]} | json.loads(done.output.split("\n")[-2])


def environment() -> dict[str, str]:
    paths = [ROOT / "images/shared", ROOT / "images/generate", ROOT / "tests"]
    return {"PYTHONPATH": os.pathsep.join(map(str, paths))}


def clients(peers: list[str]) -> Iterator[tuple[str, str]]:
    """Name and Python of each client."""
    yield from (("ours", sys.executable), ("threads", sys.executable), ("async", sys.executable))
    for python in peers:
        for name, package in PACKAGES.items():
            found = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package.split('.')[0]!r}) is None)"
            if subprocess.run([python, "-c", found]).returncode == 0:
                yield name, python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("concurrency", nargs="*", type=int, default=[4, 32, 128, 512])
    parser.add_argument("--rounds", type=int, default=16, help="requests per slot (40 at a concurrency below 16)")
    parser.add_argument("--number", type=int, help="requests, whatever the concurrency")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer-python", action="append", default=[])
    parser.add_argument("--only", nargs="*", help="names of clients")
    options = parser.parse_args()
    heads = ("client", 12), ("C", 6), ("n", 8), ("wall s", 8), ("ratio", 8), ("CPU ms", 7), ("MB", 6), ("most", 6)
    print("".join(f"{head:>{width}}" for head, width in (*heads, ("server ms", 10))))
    for concurrency in options.concurrency:
        number = options.number or concurrency * (40 if concurrency < 16 else options.rounds)
        number = -(-number // 10) * 10
        with tempfile.TemporaryDirectory() as folder:
            make = [sys.executable, str(HERE / "llm_ours.py"), "-", "0", str(number), "make", folder]
            chunks = measured(make, env=environment()).output.strip()
            for name, python in clients(options.peer_python):
                if options.only is None or name in options.only:
                    show(name, concurrency, number, [
                        run(name, python, concurrency, number, chunks, folder) for _ in range(options.runs)
                    ])  # fmt: skip


def show(name: str, concurrency: int, number: int, runs: list[dict]) -> None:
    middle = {key: statistics.median(one[key] for one in runs) for key in runs[0]}
    ratio = middle["wall"] / (number / concurrency * LATENCY)
    print(
        f"{name:>12}{concurrency:>6}{number:>8}{middle['wall']:>8.2f}{ratio:>8.3f}{middle['cpu'] / number * 1000:>7.2f}"
        f"{middle['resident']:>6.0f}{middle['most']:>6.0f}{middle['server'] / number * 1000:>10.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
