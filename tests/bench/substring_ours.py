"""One pass for shared passages, run by bench_substring.py: `work` seconds of the last of several passes, as JSON.

python substring_ours.py ROWS.parquet LENGTH PASSES      also prints how many words stand in earlier rows, and rows
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from contract.config.substring import Substring
from curate.deduplicate.substring import Choice, may_share, shared_passages


def one_pass(file: str, length: int, folder: Path) -> Choice:
    source = pq.ParquetFile(file)
    rows = source.metadata.num_rows

    def batches() -> Iterator:
        first = 0
        for batch in source.iter_batches(2_000, columns=["text"]):
            yield np.arange(first, first + batch.num_rows), batch.column("text")
            first += batch.num_rows

    shared = may_share(batches, Path(file).stat().st_size, length, folder)
    alone, open_ = np.full(rows, -1), np.zeros(rows, np.uint8)
    return shared, shared_passages(shared, np.arange(rows), alone, open_, Substring(length=length, action="report"))


def main() -> None:
    file, length, passes = sys.argv[1:]
    for _ in range(int(passes)):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            shared, choice = one_pass(file, int(length), Path(folder))
            work = time.perf_counter() - started
            words = int(np.rint(choice.share * shared.words.lengths).sum())
    print(json.dumps({"work": work, "words": words, "rows": len(np.unique(choice.passages.row))}))


if __name__ == "__main__":
    main()
