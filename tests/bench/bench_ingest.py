"""Ingest: rows of JSONL, gzipped JSONL, CSV and Parquet to documents in Parquet, beside datatrove's readers.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install 'datatrove[io,processing]' orjson
    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_ingest.py \\
        --peer-python /tmp/peers/bin/python

The rows are those of ../shared/data/neardup/short.parquet, `--copies` times over, each with an id of its own. Every
figure is of a whole process, imports and start included: medians of `--runs` runs, and the first run's peak memory.
Ours also hashes the rows, checks that ids are unique, and writes manifest and ledger.
"""

import argparse
import csv
import gzip
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.corpora import short_rows
from bench.measured import Measured, measured
from conftest import ROOT

HERE = Path(__file__).resolve().parent
ENV = {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/curate"}
FIELDS = ("id", "text", "title")


def as_jsonl(rows: list[dict[str, str]], path: Path) -> None:
    with gzip.open(path, "wt", 6) if path.suffix == ".gz" else path.open("w") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_csv(rows: list[dict[str, str]], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(rows)


def as_parquet(rows: list[dict[str, str]], path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=10_000, compression="zstd")


FORMS: dict[str, Callable[[list[dict[str, str]], Path], None]] = {
    "jsonl": as_jsonl,
    "jsonl.gz": as_jsonl,
    "csv": as_csv,
    "parquet": as_parquet,
}


def ours(form: str, folder: Path) -> Measured:
    source = {"uri": str(folder), "name": "rows", "pattern": f"*.{form}", "fields": {"id": "id"}}
    config = json.dumps({"sources": [source]})
    with tempfile.TemporaryDirectory() as out:
        return measured([sys.executable, "-m", "curate", "ingest", "--config", config, "--output", f"{out}/"], ENV)


def peer(python: str, form: str, folder: Path) -> Measured:
    with tempfile.TemporaryDirectory() as out:
        return measured([python, str(HERE / "ingest_peer.py"), form, str(folder), out])


def show(name: str, form: str, rows: int, size: int, runs: list[Measured]) -> float:
    """One line of the table; returns the median seconds."""
    seconds = statistics.median(run.seconds for run in runs)
    cpu = statistics.median(run.cpu for run in runs)
    figures = f"{seconds:>8.2f}{cpu:>8.2f}{rows / seconds:>10,.0f}{size / 1e6 / seconds:>7.0f}{runs[0].resident:>8.0f}"
    print(f"{form:<10}{name:<11}{figures}", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--peer-python", help="Python that has datatrove; without it ours runs alone")
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    options = parser.parse_args()
    texts = short_rows() * options.copies
    rows = [{"id": f"r{n}", "text": text, "title": f"Row {n}"} for n, text in enumerate(texts)]
    size = sum(len(text.encode()) for text in texts)
    print(f"{len(rows):,} rows, {size / 1e6:,.0f} MB of text, {os.cpu_count()} cores, {options.runs} runs\n")
    print(f"{'form':<10}{'library':<11}{'s':>8}{'CPU s':>8}{'rows/s':>10}{'MB/s':>7}{'RSS MB':>8}")
    for form in options.forms:
        with tempfile.TemporaryDirectory() as folder:
            FORMS[form](rows, Path(folder) / f"rows.{form}")
            took = show("ours", form, len(rows), size, [ours(form, Path(folder)) for _ in range(options.runs)])
            if options.peer_python:
                runs = [peer(options.peer_python, form, Path(folder)) for _ in range(options.runs)]
                print(f"{'':<10}datatrove / ours: {show('datatrove', form, len(rows), size, runs) / took:.1f}")


if __name__ == "__main__":
    main()
