"""The clean stage, mapper by mapper, beside datatrove's PIIFormatter and ftfy.

    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_clean.py \
        --peer-python PATH [--rounds 5] [--rows 0] [--only NAME ...]

PATH is a Python with datatrove 0.10 or later, ftfy, regex and pyarrow. Each line is a whole process: start, imports,
reading, work; ours also writes the dataset with its hashes and its report, the peers write nothing. Ours and the peers
use two processes. Medians of the rounds, which take turns; `CPU s` is that of all processes of a run, `peak MB` their
memory that no file backs.
`e-mail + IP` is `personal` with everything else ignored, which is what PIIFormatter looks for.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from measured import Measured, measured

from conftest import ROOT, SHARED_DATA
from contract.config.private import Personal
from contract.records import Document
from curate_texts import document, write_dataset

WORKERS = 2
PATHS = {"PYTHONPATH": os.pathsep.join(str(ROOT / "images" / name) for name in ("shared", "curate"))}
DATA = SHARED_DATA / "neardup" / "short.parquet"
ONLY_EMAIL_AND_IP = {
    name: "ignore"
    for name, field in Personal.model_fields.items()
    if field.default == "replace" and name not in ("email", "ip")
}
OURS: dict[str, dict] = {
    "no mapper": {"mappers": []},
    "unicode": {"mappers": ["unicode"]},
    "html": {"mappers": ["html"]},
    "markdown": {"mappers": ["markdown"]},
    "boilerplate": {"mappers": ["boilerplate"]},
    "furniture": {"mappers": ["furniture"]},
    "secrets": {"mappers": ["secrets"]},
    "personal": {"mappers": ["personal"]},
    "e-mail + IP": {"mappers": ["personal"], "personal": ONLY_EMAIL_AND_IP},
    "whitespace": {"mappers": ["whitespace"]},
    "plain": {"mappers": ["plain"]},
    "default": {},
    "unicode + e-mail + IP": {"mappers": ["unicode", "personal"], "personal": ONLY_EMAIL_AND_IP},
    "all but plain": {
        "mappers": [
            "unicode", "html", "markdown", "boilerplate", "furniture", "secrets", "personal", "whitespace"
        ]
    },
}  # fmt: skip
PEER = """
import multiprocessing, sys
import pyarrow.parquet as pq
def work(part):
    name, texts = part
    if "ftfy" in name:
        import ftfy
        texts = [ftfy.fix_text(text) for text in texts]
    if "datatrove" in name:
        from datatrove.pipeline.formatters import PIIFormatter
        change = PIIFormatter().format
        texts = [change(text) for text in texts]
    return len(texts)
if __name__ == "__main__":
    texts = pq.read_table(sys.argv[1], columns=["text"]).column("text").to_pylist()
    cuts = [texts[n :: 2] for n in range(2)]
    with multiprocessing.Pool(2) as pool:
        pool.map(work, [(sys.argv[2], cut) for cut in cuts], chunksize=1)
"""
PEERS = ("ftfy", "datatrove", "ftfy + datatrove")
BESIDE = {"unicode": "ftfy", "e-mail + IP": "datatrove", "unicode + e-mail + IP": "ftfy + datatrove"}


def ours(name: str, rows: str, folder: str) -> list[str]:
    config = json.dumps(OURS[name] | {"workers": WORKERS})
    output = tempfile.mkdtemp(dir=folder) + "/"
    return [sys.executable, "-m", "curate", "clean", "--config", config, "--input", f"rows={rows}", "--output", output]


def line(name: str, runs: list[Measured], rows: int, megabytes: float, beside: float | None) -> str:
    seconds, cpu = (statistics.median(getattr(run, field) for run in runs) for field in ("seconds", "cpu"))
    ratio = f"{beside / seconds:>8.1f}x" if beside else ""
    peak = max(run.anonymous for run in runs)
    return f"{name:<24}{seconds:>8.2f}{cpu:>8.2f}{rows / seconds:>12,.0f}{megabytes / seconds:>9.1f}{peak:>9.0f}{ratio}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--peer-python", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=0, help="how many rows of the data; 0 means all")
    parser.add_argument("--only", nargs="*", choices=OURS, default=list(OURS))
    options = parser.parse_args()
    table = pq.read_table(DATA, columns=["text"])
    table = table.slice(0, options.rows or table.num_rows)
    megabytes = sum(len(text.encode()) for text in table.column("text").to_pylist()) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(table, f"{folder}/texts.parquet")
        texts = table.column("text").to_pylist()
        rows = write_dataset(Path(folder) / "in", [document(n, text) for n, text in enumerate(texts)], Document)
        commands = {name: (lambda name=name: ours(name, rows, folder)) for name in options.only}
        if options.peer_python:
            peer = [str(options.peer_python), "-c", PEER, f"{folder}/texts.parquet"]
            commands |= {name: (lambda name=name: [*peer, name]) for name in PEERS}
        runs: dict[str, list[Measured]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                runs[name].append(measured(command(), PATHS))
    print(f"{table.num_rows:,} rows, {megabytes:.1f} MB, {options.rounds} rounds")
    print(f"{'':<24}{'seconds':>8}{'CPU s':>8}{'rows/s':>12}{'MB/s':>9}{'peak MB':>9}{'to peer':>9}")
    medians = {name: statistics.median(run.seconds for run in some) for name, some in runs.items()}
    for name, some in runs.items():
        print(line(name, some, table.num_rows, megabytes, medians.get(BESIDE.get(name, ""))))


if __name__ == "__main__":
    main()
