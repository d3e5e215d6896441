"""Ours, for bench_decontaminate.py: ITEMS ROWS N RUNS -> one line of JSON with seconds and rows found."""

import json
import sys
import time

import pyarrow.parquet as pq

import curate.start  # noqa: F401  # as every stage's process begins
from contract.config.decontaminate import Benchmark, DecontaminateConfig
from curate.decontaminate.benchmarks import read_items
from curate.decontaminate.matching import Matcher
from curate.threads import in_order

BATCH = 2_000


def main() -> None:
    items_file, rows_file, n, runs = sys.argv[1:]
    items = list(read_items(Benchmark(name="bench", uri=items_file, fields=["text"])))
    started = time.perf_counter()
    matcher = Matcher(items, DecontaminateConfig(exact=False, coverage=0, ngram=int(n)))
    build, work, found = time.perf_counter() - started, [], 0
    for _ in range(int(runs)):
        started = time.perf_counter()
        batches = pq.ParquetFile(rows_file).iter_batches(BATCH, columns=["text"])
        found = sum(len(some.held) for some in in_order(lambda batch: matcher.matches(batch.column("text")), batches))
        work.append(time.perf_counter() - started)
    print(json.dumps({"build": build, "work": work, "found": found}))


if __name__ == "__main__":
    main()
