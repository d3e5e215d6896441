"""The house's near-duplicates as a library, run by the benchmarks as a process of its own.

    python near_ours.py DATASET OUT.npy CONFIG RUNS     writes the numbers of the rows kept; prints seconds of each run

The first run loads the compiled kernels; reading the dataset's Parquet (and checking its SHA-256) is part of each.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import curate.start  # noqa: F401  # as every stage's process begins
from contract.config.deduplicate import DeduplicateConfig
from contract.uris import parse_uri
from curate.deduplicate.corpus import Corpus
from curate.deduplicate.judge import judge
from curate.deduplicate.verdicts import KEPT
from stagekit.dataset import open_dataset

if __name__ == "__main__":
    uri, out, config, runs = sys.argv[1:]
    seconds = []
    for _ in range(int(runs)):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            corpus = Corpus([], open_dataset(parse_uri(uri)))
            settings = DeduplicateConfig.model_validate_json(config)
            found = judge(corpus, settings, 0, Path(folder), lambda rows: None)
        seconds.append(time.perf_counter() - started)
    np.save(out, np.flatnonzero(found.verdicts.partner == KEPT))
    sys.stdout.write(json.dumps({"work": seconds[-1], "first": seconds[0]}) + "\n")
