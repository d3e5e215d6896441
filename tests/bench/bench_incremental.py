"""A night later: 100,000 rows deduplicated before, 1,000 new ones.

    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_incremental.py

The first run judges the old rows, the second old and new together with the first as `previous`, the third the same rows
with nothing remembered. `judge` is the time of deciding (reading included, warm code), `stage` that of the whole
process, which also writes all rows anew.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from bench.corpora import as_dataset, grown
from bench.measured import measured
from conftest import ROOT
from contract.config.deduplicate import DeduplicateConfig
from contract.stages import BY_NAME
from contract.uris import parse_uri
from curate.deduplicate.corpus import Corpus
from curate.deduplicate.judge import judge
from stagekit.dataset import Dataset, open_dataset

OLD, NEW = 100_000, 1_000
CONFIG = {"threshold": 0.7}


def stage(uri: str, out: str, config: dict) -> tuple[float, Dataset]:
    """Seconds of the stage as a process, and its result."""
    command = [sys.executable, "-m", "curate", "deduplicate", "--config", json.dumps(config)]
    ended = measured(
        [*command, "--input", f"rows={uri}", "--output", out],
        {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/curate"},
    )
    return ended.seconds, open_dataset(parse_uri(out))


def judged(uri: str, config: dict, runs: int) -> float:
    """Median seconds of deciding, after one run that warms the code."""
    seconds = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            settings = DeduplicateConfig.model_validate(config)
            corpus = Corpus([], open_dataset(parse_uri(uri)))
            judge(corpus, settings, BY_NAME["deduplicate"].version, Path(folder), lambda rows: None)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def ids(dataset: Dataset) -> set[str]:
    return {name for batch in dataset.batches(columns=["id"]) for name in batch["id"].to_pylist()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        texts = list(grown(OLD + NEW))
        old = as_dataset(islice(texts, OLD), Path(folder) / "old")
        both = as_dataset(texts, Path(folder) / "both")
        first_seconds, first = stage(old, f"{folder}/first", CONFIG)
        again = CONFIG | {"previous": {"uri": first.uri}}
        second_seconds, second = stage(both, f"{folder}/second", again)
        third_seconds, third = stage(both, f"{folder}/third", CONFIG)
        print(f"{'':<26}{'judge s':>9}{'stage s':>9}{'kept':>9}{'compared pairs':>16}")
        for name, uri, config, seconds, dataset in (
            ("100,000 rows", old, CONFIG, first_seconds, first),
            ("1,000 more, remembered", both, again, second_seconds, second),
            ("1,000 more, all anew", both, CONFIG, third_seconds, third),
        ):
            took = judged(uri, config, options.runs)
            compared = dataset.manifest.metrics["compared_pairs"]
            print(f"{name:<26}{took:>9.2f}{seconds:>9.2f}{dataset.rows:>9,}{compared:>16,}", flush=True)
        before, after = ids(first), ids(second)
        print(f"\nsurvivors of the first run that are gone: {len(before - after)}; new: {len(after - before)}")
        print(f"bytes remembered a row: {second.manifest.metrics['remembered_bytes'] / (OLD + NEW):.0f}")


if __name__ == "__main__":
    main()
