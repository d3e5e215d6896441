"""n-gram decontamination: speed and memory beside the open-r1 algorithm and datatrove, in one run.

    python -m venv /tmp/datatrove && /tmp/datatrove/bin/pip install "datatrove[processing]" orjson pyarrow spacy
    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_decontaminate.py \\
        --peer-python /tmp/datatrove/bin/python
    ... --rows 1000000 --runs 1     as many rows, of which open-r1 takes a minute for each of the four tables

Rows: the 112,000 short rows of ../shared/data/neardup; beyond them the same with all letters moved on. Items: the real
ones of ../shared/data/benchmarks, filled up to 9,000 and 90,000 with paragraphs of files of the installed packages. A
row goes when it shares one n-gram with an item. All read the same files of rows (Parquet) and items (JSON lines).
`work` is from the file of rows to verdicts, for ours with warm kernels; `process` is all of it with imports, items and
index, and `RAM` its peak without pages that a file backs. `the stage` is the command that a run executes: it checks the
rows' SHA-256 too, writes what is kept and the ledger, and shows both texts side by side; the others write nothing.
datatrove runs on the first 2,000 rows, against the 9,000 items, once; its process for all rows is reckoned from them.

What bounds our process at 112,000 rows is what goes on on one core: 0.36 s of CPU time for Python, numpy, Arrow,
pydantic and LLVM (kernels' machine code is kept by an earlier process, so numba is not loaded), and 0.15 s for 9,000
items and their index. At a million rows it is the work, on both cores: reading Parquet, hashing words, looking n-grams
up.
"""

import argparse
import gzip
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from bench.corpora import as_dataset, as_parquet, grown, long_documents
from bench.measured import Measured, measured
from conftest import ROOT, SHARED_DATA

HERE = Path(__file__).resolve().parent
ENV = {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/curate"}
FIELDS = {"humaneval.jsonl.gz": "prompt", "gsm8k_test.jsonl": "question", "ifeval.jsonl": "prompt"}
SHORT_ROWS = 112_000
ITEMS = (9_000, 90_000)
SIZES = (8, 13)
WORDS = 60  # words of a made item
DATATROVE_ROWS = 2_000


class Figures(NamedTuple):
    """Seconds of work, of building the index and of the whole process, its CPU seconds and RAM (MB), rows found."""

    work: float
    build: float
    process: float
    cpu: float
    memory: float
    found: int


def real_items() -> Iterator[str]:
    for name, field in FIELDS.items():
        path = SHARED_DATA / "benchmarks" / name
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
            yield from (json.loads(line)[field] for line in lines)


def made_items() -> Iterator[str]:
    for text in long_documents(12_000):
        words = text.split()
        for start in range(0, len(words) - WORDS, WORDS):
            yield " ".join(words[start : start + WORDS])


def all_items() -> Iterator[str]:
    yield from real_items()
    yield from made_items()


def as_lines(texts: list[str], path: Path) -> None:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")


def figures(work: float, build: float, whole: list[Measured], found: int) -> Figures:
    seconds, cpu, memory = (
        statistics.median(getattr(one, name) for one in whole) for name in ("seconds", "cpu", "anonymous")
    )
    return Figures(work, build, seconds, cpu, memory, found)


def ours(items: Path, rows: Path, n: int, runs: int) -> Figures:
    command = [sys.executable, str(HERE / "decontaminate_ours.py"), str(items), str(rows), str(n)]
    warm = json.loads(measured([*command, str(runs + 1)], ENV).output)
    whole = [measured([*command, "1"], ENV) for _ in range(runs)]
    return figures(statistics.median(warm["work"][1:]), warm["build"], whole, warm["found"])


def stage(items: Path, dataset: str, n: int, runs: int) -> Figures:
    benchmark = {"name": "bench", "uri": str(items), "fields": ["text"]}
    config = json.dumps({"benchmarks": [benchmark], "ngram": n, "coverage": 0, "exact": False})
    whole = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, "-m", "curate", "decontaminate", "--config", config]
            whole.append(measured([*command, "--input", f"rows={dataset}", "--output", f"{out}/kept"], ENV))
    return figures(0, 0, whole, json.loads(whole[0].output.splitlines()[-1])["dropped"])


def peer(python: str, name: str, items: Path, rows: Path, n: int, runs: int, limit: int = 0) -> Figures:
    script = str(HERE / "decontaminate_peers.py")
    whole = [measured([python, script, name, str(items), str(rows), str(n), str(limit)]) for _ in range(runs)]
    told = [json.loads(one.output) for one in whole]
    work, build = (statistics.median(one[key] for one in told) for key in ("work", "build"))
    return figures(work, build, whole, told[0]["found"])


def show(name: str, rows: int, one: Figures) -> None:
    work = f"{one.work:>9.2f}{rows / one.work:>11,.0f}{one.build:>9.2f}" if one.work else " " * 29
    print(f"{name:<20}{work}{one.process:>11.2f}{one.cpu:>8.1f}{one.memory:>9.0f}{one.found:>11,}", flush=True)


def compare(items: Path, count: int, n: int, options: argparse.Namespace, folder: Path) -> None:
    print(f"\n{count:,} items, {n}-grams, {options.rows:,} rows, medians of {options.runs}")
    heads = f"{'work s':>9}{'rows/s':>11}{'index s':>9}{'process s':>11}{'CPU s':>8}{'RAM MB':>9}{'rows found':>11}"
    print(f"{'':<20}{heads}")
    rows = folder / "rows.parquet"
    mine = ours(items, rows, n, options.runs)
    show("ours", options.rows, mine)
    show("ours, the stage", options.rows, stage(items, str(folder / "rows"), n, options.runs))
    theirs = peer(sys.executable, "open_r1", items, rows, n, options.runs)
    show("open-r1 algorithm", options.rows, theirs)
    print(f"open-r1 / ours: work {theirs.work / mine.work:.1f}, process {theirs.process / mine.process:.1f}")
    if options.peer_python and count == ITEMS[0]:
        some = peer(options.peer_python, "datatrove", items, rows, n, 1, DATATROVE_ROWS)
        show("datatrove", DATATROVE_ROWS, some)
        all_work = some.work / DATATROVE_ROWS * options.rows
        process = some.process - some.work + all_work
        print(f"datatrove / ours: work {all_work / mine.work:,.0f}, process {process / mine.process:,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--peer-python", help="a Python with datatrove[processing], orjson, pyarrow and spacy")
    parser.add_argument("--rows", type=int, default=SHORT_ROWS, help=f"rows to look at [{SHORT_ROWS}]")
    parser.add_argument("--runs", type=int, default=5, help="runs of each; medians are shown [5]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        as_parquet(grown(options.rows), folder / "rows.parquet")
        as_dataset(grown(options.rows), folder / "rows")
        for count in ITEMS:
            items = folder / f"{count}.jsonl"
            texts = list(islice(all_items(), count))
            as_lines(texts, items)
            for n in SIZES:
                compare(items, len(texts), n, options, folder)


if __name__ == "__main__":
    main()
