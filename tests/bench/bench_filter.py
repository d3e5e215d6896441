"""The rules of Gopher, C4 and FineWeb against datatrove, on the short rows.

    PYTHONPATH=images/shared:images/curate .venv/curate/bin/python tests/bench/bench_filter.py --peer-python PYTHON

PYTHON has `datatrove[processing]==0.10.1`, orjson and spacy. Ours: all rows from Parquet to verdicts in batches of
2,000, one thread per core, median of 5; kernels are compiled before. Theirs: 2,000 rows in memory, one process, median
of 5, its tokenizer loaded before. Peak memory is that of a process that does only this.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

PEER = Path(__file__).with_name("datatrove_peer.py")
DATA = Path(os.environ.get("NOCTURNE_SHARED_DATA", "../shared/data")) / "neardup" / "short.parquet"
SWITCHES = ("gopher_repetition", "gopher_quality", "c4", "fineweb")
TIMES, PEER_ROWS = 5, 2_000


def ours(switches: list[str]) -> dict[str, float]:
    """Rows a second of the rules of some families, and the peak memory of this process (MB)."""
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

    judge(next(pq.ParquetFile(DATA).iter_batches(10, columns=["text"])))
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        with pq.ParquetFile(DATA) as file:
            sum(in_order(judge, file.iter_batches(2_000, columns=["text"])))
            rows = file.metadata.num_rows
        seconds.append(time.perf_counter() - started)
    return {"rate": rows / statistics.median(seconds), "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python")
    parser.add_argument("--only", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(ours(options.only)))
        return
    peer = theirs(options.peer_python) if options.peer_python else {}
    print(f"{'rules':<20}{'rows/s':>10}{'peak MB':>9}{'datatrove':>11}{'ratio':>8}")
    for switches in (*([name] for name in SWITCHES), list(SWITCHES)):
        done = subprocess.run([sys.executable, __file__, "--only", *switches], check=True, capture_output=True)
        own = json.loads(done.stdout)
        name = switches[0] if len(switches) == 1 else "all four"
        rate = peer.get(name) or (1 / sum(1 / rate for rate in peer.values()) if peer else None)
        compared = f"{rate:>11,.0f}{own['rate'] / rate:>8,.0f}" if rate else ""
        print(f"{name:<20}{own['rate']:>10,.0f}{own['mb']:>9,.0f}{compared}", flush=True)


if __name__ == "__main__":
    main()
