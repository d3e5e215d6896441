"""Shared passages: speed and memory beside a suffix array, in one run.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install pydivsufsort numpy pyarrow
    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_substring.py \\
        --peer-python /tmp/peers/bin/python
    ... --corpus short      the rows of ../shared/data/neardup/short.parquet instead of files of the installed packages

Passages of 50 words or more that stand in two rows; both sides take words by `re` or its equal, lower-cased. `work` is
from texts to passages (ours reads the file twice within it), `array` the suffix array's part without the tokenising,
`process` all of it, imports and reading included. `words` stand in an earlier row too, in `rows` rows.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from bench.corpora import as_parquet, long_documents, short_rows
from bench.measured import Measured, measured
from conftest import ROOT

HERE = Path(__file__).resolve().parent
ENV = {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/curate"}
LENGTH = "50"


def show(name: str, size: float, whole: list[Measured]) -> float:
    found = [json.loads(one.output) for one in whole]
    work = statistics.median(one["work"] for one in found)
    array = statistics.median(one.get("array", one["work"]) for one in found)
    process, cpu = (statistics.median(getattr(one, what) for one in whole) for what in ("seconds", "cpu"))
    print(
        f"{name:<14}{work:>8.2f}{size / work:>7.1f}{array:>9.2f}{process:>11.2f}{cpu:>8.1f}{whole[0].resident:>8.0f}"
        f"{whole[0].anonymous:>14.0f}{found[0]['words']:>12,}{found[0]['rows']:>8,}",
        flush=True,
    )
    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--peer-python")
    parser.add_argument("--corpus", choices=["long", "short"], default="long")
    parser.add_argument("--documents", type=int, default=6_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        texts = short_rows() if options.corpus == "short" else long_documents(options.documents)
        file = str(as_parquet(texts, Path(name) / "rows.parquet"))
        size = sum(len(text.encode()) for text in texts) / 1e6
        print(f"{len(texts):,} rows, {size:,.0f} MB, medians of {options.runs} runs\n")
        heads = ("method", "work s", "MB/s", "array s", "process s", "CPU s", "RSS MB", "anonymous MB", "words", "rows")
        print("{:<14}{:>8}{:>7}{:>9}{:>11}{:>8}{:>8}{:>14}{:>12}{:>8}".format(*heads))
        command = [sys.executable, str(HERE / "substring_ours.py"), file, LENGTH]
        measured([*command, "1"], ENV)  # compiles the kernels, once per machine
        ours = show("ours", size, [measured([*command, "1"], ENV) for _ in range(options.runs)])
        if options.peer_python:
            command = [options.peer_python, str(HERE / "substring_peers.py"), file, LENGTH]
            peer = show("suffix array", size, [measured(command) for _ in range(options.runs)])
            print(f"\nsuffix array / ours: {peer / ours:.1f}")


if __name__ == "__main__":
    main()
