"""The whole way of documents through curation, one process per stage as in production: time, rates, memory.

    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_chain.py
    ... bench_chain.py --generate 1         one gigabyte of made-up text instead; some minutes (10 for the large run)
    ... bench_chain.py --limit 4000         ends a step that holds more memory than so many MB
    ... bench_chain.py --corpus FILE        another Parquet file with a column `text`

Without options it takes ../shared/data/neardup/short.parquet and, to keep out, the benchmarks beside it. Filter rules
run as an audit, so that every row goes on. Figures are medians of `--runs` whole processes [5; 1 of made-up text],
start-up included; `anonymous` is the peak of memory that no file backs, of all processes of a step together; `disk` is
what the step's dataset takes. A step's input is deleted after it, so that 10 GB need some 30 GB of disk. The last lines
say what one scan shared by all stages would save.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.made_text import made_batches
from bench.measured import Measured, measured
from conftest import ROOT, SHARED_DATA
from curate.shingles import words

QUALITY = {"gopher_quality": True, "gopher_repetition": True, "c4": True, "fineweb": True}
SCANS = {"near": 1, "decontaminate": 1}  # how often a stage cuts the whole text into hashed words


Step = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True)
class Walked:
    """A step that has ended: rows out, bytes of its dataset."""

    measured: Measured
    rows: int
    disk: int


def steps(benchmarks: list[dict[str, Any]]) -> list[Step]:
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


def write_corpus(batches: Iterable[pa.Array], path: Path) -> tuple[int, int]:
    """Rows and bytes of text written as Parquet."""
    rows = size = 0
    path.parent.mkdir(parents=True)
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for texts in batches:
            ids = pa.array([f"r{rows + n}" for n in range(len(texts))])
            file.write_table(pa.Table.from_arrays([ids, texts], schema=schema))
            rows += len(texts)
            size += pc.sum(pc.binary_length(texts)).as_py()
    return rows, size


def corpus_batches(path: Path) -> Iterator[pa.Array]:
    for batch in pq.ParquetFile(path).iter_batches(5_000, columns=["text"]):
        yield batch.column("text")


def walk(store: Path, wanted: list[Step], limit: float | None) -> dict[str, Walked]:
    """Every step once, each reading what the one before wrote."""
    env = {"NOCTURNE_STORE": str(store), "PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/curate"}
    out = Path(tempfile.mkdtemp(dir=store))
    ended: dict[str, Walked] = {}
    uri = ""
    for name, stage, config in wanted:
        command = [sys.executable, "-m", "curate", stage, "--config", json.dumps(config), "--output", f"{out}/{name}"]
        one = measured(command + (["--input", f"rows={uri}"] if uri else []), env, limit)
        result = json.loads(one.output.splitlines()[-1])
        if uri:
            shutil.rmtree(out / list(ended)[-1])
        uri = result["uri"]
        disk = sum(path.stat().st_size for path in (out / name).rglob("*"))
        ended[name] = Walked(one, result["rows"], disk)
        print(f"{name}: {one.seconds:,.1f} s", file=sys.stderr, flush=True)
    shutil.rmtree(out)
    return ended


def show(runs: list[dict[str, Walked]], rows: int, size: int) -> float:
    """The table; returns the seconds of the whole chain."""
    seconds = {name: statistics.median(run[name].measured.seconds for run in runs) for name in runs[0]}
    total = sum(seconds.values())
    print(f"{rows:,} rows, {size / 1e6:,.0f} MB of text, {os.cpu_count()} cores, {len(runs)} runs\n")
    heads = ("step", "rows out", "s", "share", "rows/s", "MB/s", "CPU s", "RSS MB", "anonymous MB", "disk MB")
    print("{:<14}{:>12}{:>9}{:>7}{:>10}{:>7}{:>9}{:>8}{:>13}{:>9}".format(*heads))
    for name, took in seconds.items():
        walked, one = runs[0][name], runs[0][name].measured
        figures = f"{took:>9.2f}{took / total:>7.0%}{rows / took:>10,.0f}{size / 1e6 / took:>7.1f}{one.cpu:>9.1f}"
        memory = f"{one.resident:>8.0f}{one.anonymous:>13.0f}{walked.disk / 1e6:>9.0f}"
        print(f"{name:<14}{walked.rows:>12,}{figures}{memory}")
    print(f"{'all':<14}{'':>12}{total:>9.2f}{1:>7.0%}{rows / total:>10,.0f}{size / 1e6 / total:>7.1f}")
    return total


def scan_seconds(path: Path) -> float:
    """Seconds of cutting the whole text into hashed words, in this process and warm."""
    batches = [batch.to_pylist() for batch in corpus_batches(path)]
    words(batches[0])
    started = time.monotonic()
    for batch in batches:
        words(batch)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--corpus", type=Path, default=SHARED_DATA / "neardup" / "short.parquet")
    parser.add_argument("--generate", type=float, metavar="GB")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--limit", type=float, metavar="MB")
    parser.add_argument("--steps", nargs="+", metavar="STEP", help="only these, and ingest")
    parser.add_argument("--folder", type=Path, help="where all files are made and deleted")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        store = Path(folder)
        batches = made_batches(options.generate) if options.generate else corpus_batches(options.corpus)
        rows, size = write_corpus(batches, store / "raw" / "rows.parquet")
        times = options.runs or (1 if options.generate else 5)
        every = steps(known_benchmarks())
        wanted = [step for step in every if not options.steps or step[0] in ("ingest", *options.steps)]
        runs = [walk(store, wanted, options.limit) for _ in range(times)]
        total = show(runs, rows, size)
        if not (options.generate or options.steps):
            tell_scans(scan_seconds(store / "raw" / "rows.parquet"), total)


def tell_scans(once: float, total: float) -> None:
    times = sum(SCANS.values())
    print(f"\none scan {once:.2f} s; the chain makes {times}: sharing one would save {(times - 1) * once:.2f} s")
    print(f"of {total:.1f} s, or {(times - 1) * once / total:.1%}: not worth a file of hashes between stages")


if __name__ == "__main__":
    main()
