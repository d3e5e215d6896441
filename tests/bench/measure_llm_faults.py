"""A hundred thousand requests through a server in trouble: what was lost, and what was paid.

    .venv/generate/bin/python tests/bench/measure_llm_faults.py [--number 100000] [--kills 20] [--scenario NAME ...]

The whole instruct stage, in a process of its own; the server in another, with a latency of a tenth of a second.
Scenarios:

    mix       the fault mix of tests/generate/test_five_hundred_chunks.py, and as many SIGKILLs as `--kills` says, each
              at a moment drawn by lot; then the run that ends
    dies      the server's port refuses connections for a minute, and those that are open break
    slows     the server answers ten times as slowly for a minute
    schema    the server answers in the wrong schema for an hour; a stage that gives up is run again, as Airflow does,
              after `--pause` seconds

The last three begin when a fifth of the requests has come, by the server's own clock, which runs `--clock` times as
fast; a run that ends before its trouble does proves nothing and counts as wrong. Each scenario ends with a check: every
chunk, pair and request is in the books once; tokens in what the tries wrote down against those that the server counted
(after kills: no more is missing than was noted to be under way); no answer that was kept is asked again. Prints a
paragraph for each, and the peak of resident memory. Exits with 1 where anything is lost or paid twice.
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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measured import Measured, measured

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATHS = os.pathsep.join(str(ROOT / part) for part in ("images/shared", "images/generate", "tests"))
PRICE = {"prompt": 0.15, "completion": 0.6}
CLOCK = {"mix": 1, "dies": 1, "slows": 1, "schema": 60}
"""How many times as fast the server's clock runs: a minute in a minute, an hour in a minute."""
GAVE_UP = 13


class Server:
    """The faulty server in its own process: lines of JSON out for lines in."""

    def __init__(self, scenario: str, clock: float, begins: int) -> None:
        command = [sys.executable, str(HERE / "faulty_llm_server.py"), scenario, str(clock), str(begins)]
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


@dataclass
class Run:
    """One scenario on its way: the stage's command and what it needs, the server, and the tries so far."""

    scenario: str
    options: argparse.Namespace
    server: Server
    command: list[str]
    env: dict[str, str]
    folder: Path
    tries: list[Measured]

    @property
    def kills(self) -> int:
        return self.options.kills if self.scenario == "mix" else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--number", type=int, default=100_000, help="chunks")
    parser.add_argument("--concurrency", type=int, default=128)
    parser.add_argument("--kills", type=int, default=0, help="SIGKILLs of the mix")
    parser.add_argument(
        "--clock", type=float, default=1, help="how many times as fast as usual the server's clock runs"
    )
    parser.add_argument("--pause", type=float, default=15, help="seconds after which a stage that gave up is run again")
    parser.add_argument("--scenario", nargs="*", default=list(CLOCK), choices=CLOCK)
    options = parser.parse_args()
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        make = [sys.executable, str(HERE / "llm_ours.py"), "-", "0", str(options.number), "make", folder]
        chunks = measured(make, env={"PYTHONPATH": PATHS}).output.strip()
        for scenario in options.scenario:
            bad |= not measure(scenario, chunks, Path(folder) / scenario, options)
    sys.exit(int(bad))


def measure(scenario: str, chunks: str, folder: Path, options: argparse.Namespace) -> bool:
    """Run one scenario; whether it ended as it must."""
    server = Server(scenario, options.clock * CLOCK[scenario], options.number // 5)
    command = [*(sys.executable, "-m", "generate", "instruct"), "--config", json.dumps(config(server.url, options))]
    command += ["--input", f"chunks={chunks}", "--output", f"{folder}/instruct/"]
    env = {"PYTHONPATH": PATHS, "NOCTURNE_STORE": str(folder), "OPENAI_API_KEY": "none", "NOCTURNE_RUN": "measured"}
    run = Run(scenario, options, server, command, env, folder, [])
    for number in range(run.kills):
        kill_some_time(run, number)
    while not run.tries or run.tries[-1].status:
        time.sleep(options.pause if run.tries else 0)
        run.tries.append(measured(command, env=env, ends=(0, GAVE_UP) if scenario == "schema" else (0,)))
    result = json.loads(run.tries[-1].output.strip().splitlines()[-1])
    manifest = json.loads((Path(result["uri"].removeprefix("file://")) / "manifest.json").read_text())
    figures = server.figures()
    server.end()
    faults = list(found_wrong(run, manifest, figures, spent(folder)))
    tell(run, manifest, figures, spent(folder), faults)
    return not faults


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


def kill_some_time(run: Run, number: int) -> None:
    """Kill the stage after some of its share of requests."""
    share = run.options.number // (run.kills + 1)
    enough = run.server.figures()["requests"] + random.Random(number).randint(1, max(2, share))
    quiet = {"stderr": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(run.command, env=os.environ | run.env, **quiet)
    while process.poll() is None and run.server.figures()["requests"] < enough:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def spent(folder: Path) -> list[int]:
    """What all tries of the run wrote down: requests, prompt and completion tokens, picodollars; the same of what may
    have been paid for without an answer."""
    purses = (folder / "cache/spent/measured").glob("*.json")
    found = [json.loads(purse.read_bytes().splitlines()[-1]) for purse in purses]  # the last line of a purse counts
    return [sum(amounts) for amounts in zip(*found, strict=True)]


def found_wrong(run: Run, manifest: dict, figures: dict, written: list[int]) -> Iterator[str]:
    """Everything that is not as it must be, in words."""
    yield from not_in_the_books(run, manifest["accounts"])
    lost = [figures["tokens"][n] - written[1 + n] for n in range(2)]
    if min(lost) < 0 or any(more > noted for more, noted in zip(lost, written[5:7], strict=True)):
        yield f"the server counted {lost} tokens more, and {written[5:7]} at most are noted"
    if not run.kills and lost != [0, 0]:
        yield f"the server counted {lost} tokens more"
    if figures["twice"] > written[4]:
        yield f"{figures['twice']} answers were paid for twice, and {written[4]} were noted to be under way at a kill"
    if run.scenario != "mix" and "ended" not in figures["trouble"]:
        yield "the run ended before the trouble did"


def not_in_the_books(run: Run, accounts: dict) -> Iterator[str]:
    for name, account in accounts.items():
        ends = account["kept"] + sum(sum(account[how].values()) for how in ("dropped", "failed", "skipped"))
        if ends != account["total"]:
            yield f"{account['total'] - ends} {name} are not in the books"
    chunks = accounts["chunks"]
    if chunks["total"] != run.options.number:
        yield f"{chunks['total']} chunks of {run.options.number}"
    if run.scenario != "mix" and chunks["kept"] != run.options.number:
        yield f"{run.options.number - chunks['kept']} chunks are lost"


def tell(run: Run, manifest: dict, figures: dict, written: list[int], faults: list[str]) -> None:
    chunks, tries = manifest["accounts"]["chunks"], run.tries
    print(
        f"{run.scenario}: {'WRONG: ' + '; '.join(faults) if faults else 'fine'}\n"
        f"  {figures['seconds']:.0f} s, CPU {sum(one.cpu for one in tries):.0f} s in {len(tries)} tries that were not "
        f"killed, at most {max(one.resident for one in tries):.0f} MB; {run.kills} kills\n"
        f"  chunks {chunks['total']}: kept {chunks['kept']}, dropped {chunks['dropped']}, failed {chunks['failed']}\n"
        f"  requests of the server {figures['requests']}: {figures['outcomes']}\n"
        f"  answers {figures['answered']} to {figures['questions']} questions; right ones a second time "
        f"{figures['twice']}\n"
        f"  tokens of the server {figures['tokens']}, written down {written[1:3]}\n"
        f"  under way at kills, or lost on the way: {written[4]} requests, at most {written[5:7]} tokens and "
        f"{written[7] / 1e12:.4f} of {written[3] / 1e12:.4f} US dollars\n"
        f"  trouble: {figures['trouble'] or 'always'}; tries ended with {[one.status for one in tries]} after "
        f"{[round(one.seconds) for one in tries]} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
