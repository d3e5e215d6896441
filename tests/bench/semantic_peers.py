"""SemHash on given vectors, run by bench_semantic.py in its own Python.

    python semantic_peers.py VECTORS.npy OUT.npy THRESHOLD      writes the numbers of the rows kept; prints seconds

Needs semhash (with usearch, its default index) and numpy.
"""

import json
import sys
import time

import numpy as np


class Given:
    """SemHash asks for an encoder even where vectors are given."""

    def encode(self, *_args: object, **_options: object) -> np.ndarray:
        raise AssertionError("the vectors are given")


def main() -> None:
    from semhash import SemHash

    vectors_file, out, threshold = sys.argv[1:]
    vectors = np.load(vectors_file)
    records = [str(row) for row in range(len(vectors))]
    started = time.perf_counter()
    index = SemHash.from_embeddings(embeddings=vectors, records=records, model=Given())
    result = index.self_deduplicate(threshold=float(threshold))
    work = time.perf_counter() - started
    np.save(out, np.sort(np.array([int(record) for record in result.selected])))
    print(json.dumps({"work": work}))


if __name__ == "__main__":
    main()
