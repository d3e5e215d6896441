"""Language identification against fastText's own list predict, on the short rows.

    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_language.py

`call`: 20,000 texts of up to 1,000 characters in batches of 2,000, in this process, one thread each, since the library
holds the interpreter's lock. `run`: all texts, as whole processes from the Parquet file on, start and model included,
ours by one process per core. Medians of 5. fasttext-community is the project's own dependency, so fastText's Python is
this one.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import fasttext
import pyarrow.parquet as pq

from bench.measured import Measured, measured
from curate.filter.identified import with_languages
from curate.language import identifier, published_model

DATA = Path(os.environ.get("NOCTURNE_SHARED_DATA", "../shared/data")) / "neardup" / "short.parquet"
ROWS, LONGEST, BATCH, TIMES = 20_000, 1_000, 2_000, 5


def rate(predict: Callable[[list[str]], object], batches: list[list[str]]) -> float:
    """Texts a second."""
    predict(batches[0])
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        for batch in batches:
            predict(batch)
        seconds.append(time.perf_counter() - started)
    return sum(map(len, batches)) / statistics.median(seconds)


def calls() -> tuple[float, float]:
    """Texts a second of our call and of fastText's."""
    table = next(pq.ParquetFile(DATA).iter_batches(ROWS, columns=["text"]))
    texts = [text[:LONGEST] for text in table.column(0).to_pylist()]
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    lines = [[text.replace("\n", " ") for text in batch] for batch in batches]
    return rate(identifier(), batches), rate(fasttext.load_model(str(published_model())).predict, lines)


def run(whose: str) -> int:
    """Identify all texts; returns how many there are."""
    with pq.ParquetFile(DATA) as file:
        batches = file.iter_batches(BATCH, columns=["text"])
        if whose == "ours":
            return sum(len(found.labels) for _, found in with_languages(batches, "text", None))
        predict = fasttext.load_model(str(published_model())).predict
        lines = ([text.replace("\n", " ") for text in batch.column(0).to_pylist()] for batch in batches)
        return sum(len(predict(some)[0]) for some in lines)


def whole(whose: str) -> tuple[Measured, float]:
    """The run in the middle of 5, and its texts a second."""
    runs = [measured([sys.executable, __file__, "--run", whose]) for _ in range(TIMES)]
    middle = sorted(runs, key=lambda one: one.seconds)[TIMES // 2]
    return middle, json.loads(middle.output) / middle.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(run(options.run))
        return
    print(f"{'':<6}{'ours/s':>10}{'fastText/s':>12}{'ratio':>7}{'CPU s':>14}{'peak MB':>12}")
    own, peer = calls()
    print(f"{'call':<6}{own:>10,.0f}{peer:>12,.0f}{own / peer:>7.2f}", flush=True)
    (ours, own), (theirs, peer) = whole("ours"), whole("theirs")
    used = f"{ours.cpu:>7.1f} /{theirs.cpu:>5.1f}{ours.resident:>7,.0f} /{theirs.resident:>4,.0f}"
    print(f"{'run':<6}{own:>10,.0f}{peer:>12,.0f}{own / peer:>7.2f}{used}")


if __name__ == "__main__":
    main()
