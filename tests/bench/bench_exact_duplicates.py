"""Exact duplicates (case and white space folded) beside polars, streaming, in one run.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install polars
    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_exact_duplicates.py \\
        --peer-python /tmp/peers/bin/python

Rows are those of ../shared/data/neardup/short.parquet. `work` is from file to kept rows with warm code, `process`
all of it. Ours hashes to 128 bits and orders rows by preference; polars hashes to 64 bits and keeps the first.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import numpy as np

from bench.bench_near_duplicates import ours
from bench.corpora import as_dataset, as_parquet, short_rows
from bench.measured import Measured, measured

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


def show(name: str, rows: int, work: float, whole: list[Measured], kept: int) -> None:
    process = statistics.median(one.seconds for one in whole)
    cpu, memory = statistics.median(one.cpu for one in whole), whole[0].resident
    print(
        f"{name:<10}{work:>8.2f}{rows / work:>12,.0f}{process:>11.2f}{cpu:>7.1f}{memory:>8.0f}{kept:>10,}", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--peer-python")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    texts = short_rows()
    print(f"{'':<10}{'work s':>8}{'rows/s':>12}{'process s':>11}{'CPU s':>7}{'RSS MB':>8}{'kept':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work, whole = ours(as_dataset(texts, folder / "rows"), folder / "kept.npy", options.runs, {"near": False})
        show("ours", len(texts), work["work"], whole, len(np.load(folder / "kept.npy")))
        if options.peer_python:
            peer = polars(options.peer_python, as_parquet(texts, folder / "rows.parquet"), options.runs)
            show("polars", len(texts), *peer)
            print(f"\npolars / ours: work {peer[0] / work['work']:.1f}")


if __name__ == "__main__":
    main()
