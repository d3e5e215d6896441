"""The whole way of documents through curation, one process per stage as in production: time, rates, memory.

    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_chain.py
    ... bench_chain.py --generate 1         one gigabyte of made-up text instead (10 for the large run)
    ... bench_chain.py --corpus FILE        another Parquet file with a column `text`

Without options it takes ../shared/data/neardup/short.parquet and, to keep out, the benchmarks beside it. Filter rules
run as an audit, so that every row goes on. Figures are medians of `--runs` [5] whole processes, start-up included;
`anonymous` is the peak of memory that no file backs. The last lines say what one scan shared by all stages would save.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.measured import Measured, measured
from conftest import ROOT, SHARED_DATA
from curate.shingles import words

QUALITY = {"gopher_quality": True, "gopher_repetition": True, "c4": True, "fineweb": True}
SCANS = {"near": 1, "decontaminate": 1}  # how often a stage cuts the whole text into hashed words
GENERATED_ROW = 600  # words


def steps(benchmarks: list[dict[str, Any]]) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, stage and config, in the order of the house."""
    return [
        ("ingest", "ingest", {"sources": [{"uri": "raw", "fields": {"id": "id"}}]}),
        ("clean", "clean", {}),
        ("filter", "filter", {"quality": QUALITY, "audit": True}),
        ("exact", "deduplicate", {"near": False}),
        ("near", "deduplicate", {"exact": False, "threshold": 0.7}),
        ("decontaminate", "decontaminate", {"benchmarks": benchmarks}),
    ]


def known_benchmarks() -> list[dict[str, Any]]:
    """The benchmarks beside the real inputs; none where they are absent."""
    fields = {"gsm8k_test.jsonl": "question", "ifeval.jsonl": "prompt", "mt_bench.jsonl": "turns"}
    folder = SHARED_DATA / "benchmarks"
    found = [(name, field) for name, field in fields.items() if (folder / name).is_file()]
    return [{"name": name.partition(".")[0], "uri": str(folder / name), "fields": [field]} for name, field in found]


def generated(gigabytes: float) -> Iterator[list[str]]:
    """Batches of made-up documents of Zipf-like words; one in twenty is an edited copy of an earlier one."""
    draw = random.Random(0)
    vocabulary = [f"{draw.choice('bcdfghklmnprst')}{draw.choice('aeiou')}{number:x}" for number in range(50_000)]
    weights = [1 / (rank + 10) for rank in range(len(vocabulary))]
    size, recent = 0, [""]
    while size < gigabytes * 1e9:
        batch = []
        for row in range(1_000):
            fresh = draw.choices(vocabulary, weights, k=draw.randint(GENERATED_ROW // 2, GENERATED_ROW * 3 // 2))
            batch.append(" ".join(fresh) if row % 20 else _edited(draw.choice(recent), draw))
        recent = batch[:200]
        size += sum(map(len, batch))
        yield batch


def _edited(text: str, draw: random.Random) -> str:
    return " ".join(word if draw.random() > 0.01 else "edited" for word in text.split())


def write_corpus(batches: Iterator[list[str]], path: Path) -> tuple[int, int]:
    """Rows and bytes of text written as Parquet."""
    rows = size = 0
    path.parent.mkdir(parents=True)
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for batch in batches:
            file.write_table(pa.table({"id": [f"r{rows + n}" for n in range(len(batch))], "text": batch}, schema))
            rows += len(batch)
            size += sum(len(text.encode()) for text in batch)
    return rows, size


def corpus_batches(path: Path) -> Iterator[list[str]]:
    for batch in pq.ParquetFile(path).iter_batches(5_000, columns=["text"]):
        yield batch.column("text").to_pylist()


def walk(store: Path, benchmarks: list[dict[str, Any]]) -> dict[str, tuple[Measured, dict[str, Any]]]:
    """Every step once, each reading what the one before wrote."""
    env = {"NOCTURNE_STORE": str(store), "PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/curate"}
    out = Path(tempfile.mkdtemp(dir=store))
    ended: dict[str, tuple[Measured, dict[str, Any]]] = {}
    uri = ""
    for name, stage, config in steps(benchmarks):
        command = [sys.executable, "-m", "curate", stage, "--config", json.dumps(config), "--output", f"{out}/{name}"]
        one = measured(command + (["--input", f"rows={uri}"] if uri else []), env)
        result = json.loads(one.output.splitlines()[-1])
        uri = result["uri"]
        ended[name] = one, result
    return ended


def show(runs: list[dict[str, tuple[Measured, dict[str, Any]]]], rows: int, size: int) -> float:
    """The table; returns the seconds of the whole chain."""
    seconds = {name: statistics.median(run[name][0].seconds for run in runs) for name in runs[0]}
    total = sum(seconds.values())
    print(f"{rows:,} rows, {size / 1e6:,.0f} MB of text, {os.cpu_count()} cores, {len(runs)} runs\n")
    heads = ("step", "rows out", "s", "share", "rows/s", "MB/s", "CPU s", "RSS MB", "anonymous MB")
    print("{:<14}{:>10}{:>8}{:>7}{:>10}{:>7}{:>7}{:>8}{:>13}".format(*heads))
    for name, took in seconds.items():
        one, result = runs[0][name]
        figures = f"{took:>8.2f}{took / total:>7.0%}{rows / took:>10,.0f}{size / 1e6 / took:>7.0f}{one.cpu:>7.1f}"
        print(f"{name:<14}{result['rows']:>10,}{figures}{one.resident:>8.0f}{one.anonymous:>13.0f}")
    print(f"{'all':<14}{'':>10}{total:>8.2f}{1:>7.0%}{rows / total:>10,.0f}{size / 1e6 / total:>7.0f}")
    return total


def scan_seconds(path: Path) -> float:
    """Seconds of cutting the whole text into hashed words, in this process and warm."""
    batches = [list(batch) for batch in corpus_batches(path)]
    words(batches[0])
    started = time.monotonic()
    for batch in batches:
        words(batch)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--corpus", type=Path, default=SHARED_DATA / "neardup" / "short.parquet")
    parser.add_argument("--generate", type=float, metavar="GB")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        batches = generated(options.generate) if options.generate else corpus_batches(options.corpus)
        rows, size = write_corpus(batches, store / "raw" / "rows.parquet")
        total = show([walk(store, known_benchmarks()) for _ in range(options.runs)], rows, size)
        if not options.generate:
            once, times = scan_seconds(store / "raw" / "rows.parquet"), sum(SCANS.values())
            print(
                f"\none scan {once:.2f} s; the chain makes {times}: sharing one would save {(times - 1) * once:.2f} s"
            )
            print(f"of {total:.1f} s, or {(times - 1) * once / total:.1%}: not worth a file of hashes between stages")


if __name__ == "__main__":
    main()
