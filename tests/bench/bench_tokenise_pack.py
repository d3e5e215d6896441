"""Conversations to packed training rows: the plan's way against TRL's own (`datasets.map`), in one run.

    PYTHONPATH=images/shared:images/finetune:tests .venv/finetune/bin/python tests/bench/bench_tokenise_pack.py
    ... bench_tokenise_pack.py --samples 5000 --runs 1      a quick look

Questions and answers cut from the articles in ../shared/data, with lengths drawn from a seed (log-normal: half of all
samples have fewer than some 190 tokens, few a thousand), in ChatML by a byte-level BPE of 16,000 tokens; rows of 2,048,
the assistant's tokens learned. Each way runs in a process of its own, in turn; medians of `--runs` [5]. `work` and
its `CPU` (children's included) are without imports; `peak` is the resident memory of the process and its children,
files that it maps included, and `anonymous` without. `again` is what each training after it does: check the file's
hash, and map it.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from pathlib import Path

from bench.measured import Measured, measured
from conftest import SHARED_DATA
from finetune.chat import dress
from finetune.tiny import train_tokenizer

WAYS = {
    "plan": ("ours", 0),
    "again": ("again", 0),
    "TRL": ("trl", 1),
    "TRL, 2 processes": ("trl", 2),
}
SAME = ("tokens", "learned", "sum of ids")
QUESTION, ANSWER = (2.7, 0.6), (4.6, 0.9)


def make_inputs(folder: Path, number: int) -> None:
    """Write the samples and the tokenizer."""
    articles = json.loads((SHARED_DATA / "articles.json").read_text())["artifact_data"]
    words = " ".join(article["content"] for article in articles).split()
    draw = random.Random(0)

    def text(mean: float, spread: float) -> str:
        length = min(1_400, max(6, int(draw.lognormvariate(mean, spread))))
        start = draw.randrange(len(words) - length)
        return " ".join(words[start : start + length])

    with (folder / "samples.jsonl").open("w") as lines:
        for _ in range(number):
            turns = [{"role": "user", "content": text(*QUESTION)}, {"role": "assistant", "content": text(*ANSWER)}]
            lines.write(json.dumps({"messages": turns}) + "\n")
    tokenizer = train_tokenizer((article["content"] for article in articles), vocabulary=16_000)
    dress(tokenizer, "chatml")
    tokenizer.save_pretrained(folder / "tokenizer")


def run(folder: Path, way: str) -> tuple[Measured, dict[str, float]]:
    """One way, once, in a fresh process."""
    name, processes = WAYS[way]
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        command = [sys.executable, str(Path(__file__).with_name("tokenise_ways.py")), name, str(folder), str(processes)]
        found = measured(command, env={"HF_DATASETS_CACHE": cache, "HF_HUB_OFFLINE": "1"})
    return found, json.loads(found.output.splitlines()[-1])


def row(way: str, runs: list[tuple[Measured, dict[str, float]]], peer: float) -> str:
    """A line of the table; the ratio is of the work."""
    work = statistics.median(figures["work"] for _, figures in runs)
    figures = runs[0][1]
    columns = [
        f"{way:<18}{work:>9.2f} s",
        f"{statistics.median(found.seconds for found, _ in runs):>9.1f} s",
        f"{statistics.median(figures['cpu'] for _, figures in runs):>9.2f} s",
        f"{figures['tokens'] / work:>14,.0f}",
        f"{statistics.median(found.resident for found, _ in runs):>9,.0f} MB",
        f"{statistics.median(found.anonymous for found, _ in runs):>9,.0f} MB",
        f"{figures['rows']:>9,.0f}",
        f"{peer / work:>8.1f} x",
    ]
    return "".join(columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nocturne-bench-") as name:
        folder = Path(name)
        make_inputs(folder, args.samples)
        found: dict[str, list[tuple[Measured, dict[str, float]]]] = {way: [] for way in WAYS}
        for _ in range(args.runs):
            for way in WAYS:
                found[way].append(run(folder, way))
    made = {way: tuple(runs[0][1][figure] for figure in SAME) for way, runs in found.items()}
    if len(set(made.values())) > 1:
        sys.exit(f"the ways do not make the same tokens and labels: {made}")
    peer = statistics.median(figures["work"] for _, figures in found["TRL"])
    head = "".join(f"{name:>{width}}" for name, width in (("work", 29), ("process", 11), ("CPU", 11), ("tokens/s", 14)))
    lines = [f"{args.samples:,} samples, {made['plan'][0]:,} tokens; {os.cpu_count()} cores"]
    lines.append(head + f"{'peak':>12}{'anonymous':>12}{'rows':>9}{'faster':>10}")
    lines += [row(way, runs, peer) for way, runs in found.items()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
