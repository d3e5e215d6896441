"""The rules of Gopher, C4 and FineWeb against datatrove, on the short rows.

    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_filter.py \\
        --peer-python PYTHON

PYTHON has `datatrove[processing]==0.10.1`, orjson and spacy. Ours: all rows from Parquet to verdicts in batches of
2,000, one thread per core; kernels are kept as machine code by an earlier process, so that none loads numba. `work` is
such a pass in a process that made one before, `process` a whole process with its start, its imports and one pass, each
with its CPU seconds. Theirs: 2,000 rows in memory, one process, its tokenizer loaded before. All are medians of 5. Peak
memory is that of the whole process.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from bench.measured import measured

PEER = Path(__file__).with_name("datatrove_peer.py")
DATA = Path(os.environ.get("NOCTURNE_SHARED_DATA", "../shared/data")) / "neardup" / "short.parquet"
SWITCHES = ("gopher_repetition", "gopher_quality", "c4", "fineweb")
TIMES, PEER_ROWS = 5, 2_000


def ours(switches: list[str], times: int) -> dict[str, float]:
    """Rows, and medians of the seconds and CPU seconds of a pass over them with the rules of some families."""
    import pyarrow as pa

    from contract.config.filter import FilterConfig
    from curate.filter.files import Files
    from curate.filter.rows import Rows
    from curate.filter.rules import active_rules, families
    from curate.threads import in_order

    config = FilterConfig.model_validate({"quality": dict.fromkeys(switches, True)})
    rules = active_rules(config, Files(Path()))

    def judge(batch: pa.RecordBatch) -> int:
        rows = Rows(batch.column(0), families=families(config))
        return sum(int(rule.check(rows).fails.sum()) for rule in rules)

    seconds, cpu = [], []
    for _ in range(times):
        started, used = time.perf_counter(), time.process_time()
        with pq.ParquetFile(DATA) as file:
            sum(in_order(judge, file.iter_batches(2_000, columns=["text"])))
            rows = file.metadata.num_rows
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    passes = slice(times > 1, None)  # the first of several loads the kernels
    return {"rows": rows, "seconds": statistics.median(seconds[passes]), "cpu": statistics.median(cpu[passes])}


def command(switches: list[str], times: int) -> list[str]:
    return [sys.executable, __file__, "--only", *switches, "--times", str(times)]


def theirs(python: str) -> dict[str, float]:
    """Rows a second of each of datatrove's filters."""
    texts = pq.read_table(DATA, columns=["text"])["text"].to_pylist()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "texts.jsonl"), Path(folder, "out.json")
        source.write_text("".join(json.dumps(text) + "\n" for text in random.Random(0).sample(texts, PEER_ROWS)))
        runs = []
        for _ in range(TIMES):
            subprocess.run([python, str(PEER), "rate", str(source), str(target)], check=True, stderr=subprocess.DEVNULL)
            runs.append(json.loads(target.read_text()))
    return {name: PEER_ROWS / statistics.median(run[name] for run in runs) for name in runs[0]}


def show(switches: list[str], peer: dict[str, float]) -> None:
    """A line of the table."""
    work = json.loads(measured(command(switches, TIMES + 1)).output)
    runs = sorted((measured(command(switches, 1)) for _ in range(TIMES)), key=lambda run: run.seconds)
    whole = runs[TIMES // 2]
    name = switches[0] if len(switches) == 1 else "all four"
    rate = peer.get(name) or (1 / sum(1 / rate for rate in peer.values()) if peer else 0)
    figures = ""
    for seconds, cpu in ((work["seconds"], work["cpu"]), (whole.seconds, whole.cpu)):
        ratio = f"{work['rows'] / seconds / rate:,.0f}" if rate else "-"
        figures += f"{work['rows'] / seconds:>12,.0f}{cpu:>7.2f}{ratio:>7}"
    print(f"{name:<20}{rate:>10,.0f}{figures}{whole.resident:>9,.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python")
    parser.add_argument("--only", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--times", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(ours(options.only, options.times)))
        return
    peer = theirs(options.peer_python) if options.peer_python else {}
    heads = ("rules", "datatrove/s", "work rows/s", "CPU s", "ratio", "process/s", "CPU s", "ratio", "peak MB")
    print("{:<19}{:>11}{:>12}{:>7}{:>7}{:>12}{:>7}{:>7}{:>9}".format(*heads))
    for switches in (*([name] for name in SWITCHES), list(SWITCHES)):
        show(switches, peer)


if __name__ == "__main__":
    main()
