"""Exact duplicates (case and white space folded) beside polars, streaming, in one run.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install polars
    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_exact_duplicates.py \\
        --peer-python /tmp/peers/bin/python
    ... --rows 1000000      as many rows

Rows are those of ../shared/data/neardup/short.parquet, beyond them the same with all letters moved on. `work` is from
file to kept rows with warm code, `process` all of it. Ours checks the file's SHA-256, hashes to 128 bits and orders
rows by preference; polars hashes to 64 bits and keeps the first. Half of our process's CPU time on 112,000 rows is its
start, on one core: 0.35 s for Python, numpy, Arrow, pydantic with the config, and LLVM, which links the kernels' kept
machine code; the first process ever compiles them.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import numpy as np

from bench.bench_near_duplicates import ours
from bench.corpora import as_dataset, as_parquet, grown
from bench.measured import Measured, measured

SHORT_ROWS = 112_000
POLARS = """
import json, sys, time
import polars as pl

def kept(file):
    text = pl.col("text").str.to_lowercase().str.replace_all(r"\\s+", " ").str.strip_chars()
    rows = pl.scan_parquet(file).with_row_index().select("index", key=text.hash())
    return rows.group_by("key").agg(pl.col("index").min()).collect(engine="streaming").height

for _ in range(int(sys.argv[2])):
    started = time.perf_counter()
    rows = kept(sys.argv[1])
print(json.dumps({"work": time.perf_counter() - started, "kept": rows}))
"""


def polars(python: str, file: Path, runs: int) -> tuple[float, list[Measured], int]:
    command = [python, "-c", POLARS, str(file)]
    whole = [measured([*command, "1"]) for _ in range(runs)]
    warm = [json.loads(measured([*command, "2"]).output) for _ in range(runs)]
    return statistics.median(one["work"] for one in warm), whole, warm[0]["kept"]


def show(name: str, rows: int, work: float, whole: list[Measured], kept: int) -> float:
    """Print a line; returns the seconds of the whole process."""
    process = statistics.median(one.seconds for one in whole)
    cpu, memory = statistics.median(one.cpu for one in whole), whole[0].resident
    rates = f"{work:>8.2f}{rows / work:>12,.0f}{process:>11.2f}{rows / process:>12,.0f}"
    print(f"{name:<10}{rates}{cpu:>7.1f}{memory:>8.0f}{kept:>10,}", flush=True)
    return process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--peer-python")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=SHORT_ROWS)
    options = parser.parse_args()
    rows, runs = options.rows, options.runs
    print(f"{'':<10}{'work s':>8}{'rows/s':>12}{'process s':>11}{'rows/s':>12}{'CPU s':>7}{'RSS MB':>8}{'kept':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work, whole = ours(as_dataset(grown(rows), folder / "rows"), folder / "kept.npy", runs, {"near": False})
        process = show("ours", rows, work["work"], whole, len(np.load(folder / "kept.npy")))
        if options.peer_python:
            peer = polars(options.peer_python, as_parquet(grown(rows), folder / "rows.parquet"), runs)
            theirs = show("polars", rows, *peer)
            print(f"\npolars / ours: work {peer[0] / work['work']:.1f}, process {theirs / process:.1f}")


if __name__ == "__main__":
    main()
