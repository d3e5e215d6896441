"""Language identification against fastText's own list predict, on the short rows.

    PYTHONPATH=images/shared:images/curate .venv/curate/bin/python tests/bench/bench_language.py

20,000 texts of up to 1,000 characters in batches of 2,000; medians of 5. fasttext-community is the project's own
dependency, so its Python is this one; one thread each, since the library holds the interpreter's lock.
"""

import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import fasttext
import pyarrow.parquet as pq

from curate.language import identifier, published_model

DATA = Path(os.environ.get("NOCTURNE_SHARED_DATA", "../shared/data")) / "neardup" / "short.parquet"
ROWS, LONGEST, BATCH, TIMES = 20_000, 1_000, 2_000, 5


def rate(predict: Callable[[list[str]], object], batches: list[list[str]]) -> float:
    """Texts a second."""
    predict(batches[0])
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        for batch in batches:
            predict(batch)
        seconds.append(time.perf_counter() - started)
    return sum(map(len, batches)) / statistics.median(seconds)


def main() -> None:
    table = next(pq.ParquetFile(DATA).iter_batches(ROWS, columns=["text"]))
    texts = [text[:LONGEST] for text in table.column(0).to_pylist()]
    batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
    lines = [[text.replace("\n", " ") for text in batch] for batch in batches]
    own = rate(identifier(), batches)
    peer = rate(fasttext.load_model(str(published_model())).predict, lines)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"ours {own:,.0f} texts/s, fastText {peer:,.0f} texts/s, ratio {own / peer:.2f}, peak {memory:,.0f} MB")


if __name__ == "__main__":
    main()
