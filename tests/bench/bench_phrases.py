"""Phrase lists of 5,000 and 10,000 entries against hyperscan and polars, on the short rows.

    PYTHONPATH=images/shared:images/curate .venv/curate/bin/python tests/bench/bench_phrases.py --peer-python PYTHON

PYTHON has hyperscan==0.9.1, polars and pyarrow. Half of the phrases are runs of 3 and 4 words from the texts, half are
made-up words. All look at texts in memory, medians of 5, the lists built before. hyperscan (one thread) and ours (one
per core) look for whole words in any case; polars finds parts of words too.
"""

import argparse
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PEER = Path(__file__).with_name("phrases_peer.py")
DATA = Path(os.environ.get("NOCTURNE_SHARED_DATA", "../shared/data")) / "neardup" / "short.parquet"
TIMES, BATCH = 5, 2_000


def phrases(number: int) -> list[str]:
    """Half runs of words of the texts, half made-up words."""
    texts = pq.read_table(DATA, columns=["text"])["text"].to_pylist()
    choose = random.Random(0)
    found: dict[str, None] = {}
    while len(found) < number // 2:
        words = re.findall(r"[a-z]+", choose.choice(texts).lower())
        size = choose.choice((3, 4))
        if len(words) > size:
            start = choose.randrange(len(words) - size)
            found[" ".join(words[start : start + size])] = None
    while len(found) < number:
        found["".join(choose.choices("abcdefghijklmnopqrstuvwxyz", k=choose.randint(6, 12)))] = None
    return list(found)


def ours(path: str) -> dict[str, object]:
    """Seconds of five runs, rows with a hit, peak memory."""
    from curate.filter.keywords import PhraseList
    from curate.threads import in_order

    wanted = PhraseList(Path(path).read_text().splitlines())
    batches = [pa.array(batch.column(0)) for batch in pq.ParquetFile(DATA).iter_batches(BATCH, columns=["text"])]

    def hits(texts: pa.Array) -> int:
        return sum(found is not None for found in wanted.first_in(texts))

    hits(batches[0])
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        total = sum(in_order(hits, batches))
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, "hits": total, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python")
    parser.add_argument("--own", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.own:
        print(json.dumps(ours(options.own)))
        return
    rows = pq.ParquetFile(DATA).metadata.num_rows
    print(f"{'phrases':>8} {'':<10}{'rows/s':>10}{'rows hit':>10}{'peak MB':>9}{'ours is':>9}")
    for number in (5_000, 10_000):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "phrases.txt")
            path.write_text("\n".join(phrases(number)))
            commands = {"ours": [sys.executable, __file__, "--own", str(path)]}
            if options.peer_python:
                peer = [options.peer_python, str(PEER)]
                commands |= {name: [*peer, name, str(DATA), str(path)] for name in ("hyperscan", "polars")}
            runs = {
                name: json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
                for name, command in commands.items()
            }
        rates = {name: rows / statistics.median(run["seconds"]) for name, run in runs.items()}
        for name, run in runs.items():
            ratio = rates["ours"] / rates[name]
            print(f"{number:>8,} {name:<10}{rates[name]:>10,.0f}{run['hits']:>10,}{run['mb']:>9,.0f}{ratio:>8.1f}x")


if __name__ == "__main__":
    main()
