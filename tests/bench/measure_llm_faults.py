"""A hundred thousand requests through a server of which a quarter goes wrong: what was lost, and what was paid.

    .venv/generate/bin/python tests/bench/measure_llm_faults.py [--number 100000] [--kills 20] [--scenario NAME ...]

The whole instruct stage, in a process of its own; the server in another, with a few milliseconds of latency. Scenarios:

    mix       the fault mix of tests/generate/test_five_hundred_chunks.py, and as many SIGKILLs as `--kills` says, each
              at a moment drawn by lot; then the run that ends
    dies      the server closes every connection for a while (a minute, at `--clock` 1)
    slows     the server answers ten times as slowly for a while
    schema    the server answers in the wrong schema for an hour of its own clock, which runs `--clock` times as fast

Each ends with a check: every chunk, pair and request is in the books once; tokens in the manifest (and, where the stage
was killed, in what its run recorded) against those that the server counted; no answer that was kept is asked again.
Prints a line for each, and the peak of resident memory. Exits with 1 where anything is lost or paid twice.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measured import measured

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATHS = os.pathsep.join(str(ROOT / part) for part in ("images/shared", "images/generate", "tests"))
EACH = 100
PRICE = {"prompt": 0.15, "completion": 0.6}
HOUR, MINUTE = 3_600, 60


class Server:
    """The faulty server in its own process: lines of JSON in, lines of JSON out."""

    def __init__(self, scenario: str, clock: float) -> None:
        command = [sys.executable, str(HERE / "faulty_llm_server.py"), scenario, str(clock)]
        env = os.environ | {"PYTHONPATH": PATHS}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def figures(self) -> dict:
        """What it counted so far."""
        self.process.stdin.write("figures\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--number", type=int, default=100_000, help="chunks")
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--kills", type=int, default=0, help="SIGKILLs of the mix")
    parser.add_argument("--clock", type=float, default=60, help="how many times as fast the server's clock runs")
    parser.add_argument("--scenario", nargs="*", default=["mix", "dies", "slows", "schema"])
    options = parser.parse_args()
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        make = [sys.executable, str(HERE / "llm_ours.py"), "-", "0", str(options.number), "make", folder]
        chunks = measured(make, env={"PYTHONPATH": PATHS}).output.strip()
        for scenario in options.scenario:
            bad |= not run(scenario, chunks, Path(folder) / scenario, options)
    sys.exit(int(bad))


def run(scenario: str, chunks: str, folder: Path, options: argparse.Namespace) -> bool:
    server = Server(scenario, options.clock)
    command = [*(sys.executable, "-m", "generate", "instruct"), "--config", json.dumps(config(server.url, options))]
    command += ["--input", f"chunks={chunks}", "--output", f"{folder}/instruct/"]
    env = {"PYTHONPATH": PATHS, "NOCTURNE_STORE": str(folder), "OPENAI_API_KEY": "none", "NOCTURNE_RUN": "measured"}
    for number in range(options.kills if scenario == "mix" else 0):
        kill_some_time(command, env, number, server, options)
    done = measured(command, env=env)
    figures = server.figures()
    server.end()
    result = json.loads(done.output.strip().splitlines()[-1])
    manifest = json.loads((Path(result["uri"].removeprefix("file://")) / "manifest.json").read_text())
    return told(scenario, manifest, figures, spent(folder), done, options)


def config(url: str, options: argparse.Namespace) -> dict:
    return {
        "provider": "openai",
        "model": "bench",
        "base_url": url,
        "pairs": 2,
        "price": PRICE,
        "concurrency": options.concurrency,
        "backoff": 0.05,
        "attempts": 50,
        "timeout": 30,
        "patience": 600,
        "max_failed": 0.0,
        "budget": {"money": 10_000},
    }


def kill_some_time(command: list[str], env: dict, number: int, server: Server, options: argparse.Namespace) -> None:
    """Kill the stage after some of its share of requests."""
    before = server.figures()["requests"]
    share = options.number // (options.kills + 1)
    enough = before + random.Random(number).randint(1, max(2, share))
    process = subprocess.Popen(command, env=os.environ | env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while process.poll() is None and server.figures()["requests"] < enough:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def spent(folder: Path) -> tuple[int, int, int]:
    """Requests, prompt and completion tokens that all tries of the run wrote down."""
    found = [json.loads(path.read_bytes()) for path in (folder / "cache/spent/measured").glob("*.json")]
    return tuple(sum(one[n] for one in found) for n in range(3))


def told(scenario: str, manifest: dict, figures: dict, recorded: tuple, done, options: argparse.Namespace) -> bool:
    accounts = {name: account["total"] for name, account in manifest["accounts"].items()}
    ends = {
        name: sum(sum(account[status].values()) for status in ("dropped", "failed", "skipped")) + account["kept"]
        for name, account in manifest["accounts"].items()
    }
    tokens = recorded[1], recorded[2]
    lost = figures["tokens"][0] - tokens[0], figures["tokens"][1] - tokens[1]
    killed = options.kills if scenario == "mix" else 0
    fine = ends == accounts and accounts["chunks"] == options.number
    # What was on its way at a kill is answered and lost; no more than the slots can be, and nothing else.
    fine &= (
        lost == (0, 0)
        if not killed
        else 0 <= figures["answered"] - figures["questions"] <= killed * options.concurrency
    )
    print(
        f"{scenario:<8}{'fine' if fine else 'WRONG':<7}{done.seconds:>7.0f} s  CPU {done.cpu:>6.0f} s  "
        f"{done.resident:>5.0f} MB  chunks {accounts['chunks']}  requests sent {figures['requests']}  "
        f"answered {figures['answered']} of {figures['questions']} questions  "
        f"tokens of the server {figures['tokens']}, written down {list(tokens)}  "
        f"kills {killed}  outcomes {figures['outcomes']}",
        flush=True,
    )
    return fine


if __name__ == "__main__":
    main()
