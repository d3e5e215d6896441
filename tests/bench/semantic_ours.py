"""One semantic pass over vectors, run by bench_semantic.py: `work` seconds of the last of several passes, as JSON.

python semantic_ours.py VECTORS.npy OUT.npy CONFIG PASSES      writes the numbers of the rows kept
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from contract.config.semantic import Semantic
from curate.deduplicate.semantic import Nodes, semantic_duplicates


def main() -> None:
    vectors_file, out, config, passes = sys.argv[1:]
    vectors = np.load(vectors_file)
    nodes = Nodes(vectors, np.full(len(vectors), -1), np.zeros(len(vectors), np.uint8))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(int(passes)):
            started = time.perf_counter()
            choice = semantic_duplicates(nodes, Semantic.model_validate_json(config), 1, Path(folder))
            work = time.perf_counter() - started
    np.save(out, np.flatnonzero(choice.partner < 0))
    print(json.dumps({"work": work}))


if __name__ == "__main__":
    main()
