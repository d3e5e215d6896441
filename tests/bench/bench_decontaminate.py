"""n-gram decontamination: speed and memory beside the open-r1 algorithm and datatrove, in one run.

    python -m venv /tmp/datatrove && /tmp/datatrove/bin/pip install "datatrove[processing]" orjson spacy
    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_decontaminate.py \\
        --peer-python /tmp/datatrove/bin/python

Rows: the 112,000 short rows of ../shared/data/neardup; items: the real ones of ../shared/data/benchmarks, filled up to
9,000 and 90,000 with paragraphs of files of the installed packages. A row goes when it shares one n-gram with an item.
`work` is from texts to verdicts with warm kernels; ours includes reading the Parquet file, theirs does not. `process`
is all of it with imports, index and reading; `RAM` is its peak without pages that a file backs.
datatrove runs on the first 2,000 rows, against the 9,000 items, once.
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

from bench.corpora import SHORT, long_documents, short_rows
from bench.measured import measured
from conftest import ROOT, SHARED_DATA

HERE = Path(__file__).resolve().parent
ENV = {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/curate"}
FIELDS = {"humaneval.jsonl.gz": "prompt", "gsm8k_test.jsonl": "question", "ifeval.jsonl": "prompt"}
ITEMS = (9_000, 90_000)
SIZES = (8, 13)
WORDS = 60  # words of a made item
DATATROVE_ROWS = 2_000
ROWS = "rows.jsonl"


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
    path.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")


def ours(items: Path, n: int, runs: int) -> list[float]:
    command = [sys.executable, str(HERE / "decontaminate_ours.py"), str(items), str(SHORT), str(n)]
    warm = json.loads(measured([*command, str(runs + 1)], ENV).output)
    whole = measured([*command, "1"], ENV)
    return [statistics.median(warm["work"][1:]), warm["build"], whole.seconds, whole.anonymous, warm["found"]]


def peer(python: str, name: str, items: Path, n: int, runs: int, limit: int = 0) -> list[float]:
    command = [
        python,
        str(HERE / "decontaminate_peers.py"),
        name,
        str(items),
        str(items.with_name(ROWS)),
        str(n),
        str(limit),
    ]
    whole = [measured(command) for _ in range(runs)]
    told = [json.loads(one.output) for one in whole]
    middle = [statistics.median(one[key] for one in told) for key in ("work", "build")]
    return [*middle, statistics.median(one.seconds for one in whole), whole[0].anonymous, told[0]["found"]]


def show(name: str, rows: int, figures: list[float]) -> None:
    work, build, process, memory, found = figures
    print(
        f"{name:<20}{work:>9.2f}{rows / work:>11,.0f}{build:>9.2f}{process:>11.2f}{memory:>9.0f}{int(found):>11,}",
        flush=True,
    )


def compare(items: Path, count: int, n: int, options: argparse.Namespace, rows: int) -> None:
    print(f"\n{count:,} items, {n}-grams, {rows:,} rows, medians of {options.runs}")
    heads = f"{'work s':>9}{'rows/s':>11}{'index s':>9}{'process s':>11}{'RAM MB':>9}{'rows found':>11}"
    print(f"{'':<20}{heads}")
    mine = ours(items, n, options.runs)
    show("ours", rows, mine)
    theirs = peer(sys.executable, "open_r1", items, n, options.runs)
    show("open-r1 algorithm", rows, theirs)
    print(f"open-r1 / ours: work {theirs[0] / mine[0]:.1f}, process {theirs[2] / mine[2]:.1f}")
    if options.peer_python and count == ITEMS[0]:
        some = peer(options.peer_python, "datatrove", items, n, 1, DATATROVE_ROWS)
        show("datatrove", DATATROVE_ROWS, some)
        print(f"datatrove / ours: work per row {some[0] / DATATROVE_ROWS / (mine[0] / rows):,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--peer-python", help="a Python with datatrove[processing], orjson and spacy")
    parser.add_argument("--runs", type=int, default=5, help="runs of each; medians are shown [5]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = short_rows()
        as_lines(rows, Path(folder, ROWS))
        for count in ITEMS:
            items = Path(folder, f"{count}.jsonl")
            texts = list(islice(all_items(), count))
            as_lines(texts, items)
            for n in SIZES:
                compare(items, len(texts), n, options, len(rows))


if __name__ == "__main__":
    main()
