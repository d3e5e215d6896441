"""hyperscan and polars looking for phrases; run by bench_phrases.py in a Python that has both.

    PEER_PYTHON tests/bench/phrases_peer.py hyperscan|polars TEXTS.parquet PHRASES.txt

Prints, as JSON, the seconds of five runs over texts in memory, rows with a hit, and peak memory (MB).
"""

import contextlib
import json
import resource
import sys
import time

import pyarrow.parquet as pq


def by_hyperscan(table, phrases: list[str]) -> list[float]:
    import hyperscan

    database = hyperscan.Database()
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_UTF8
    database.compile(
        expressions=[rf"\b{phrase}\b".encode() for phrase in phrases],
        ids=list(range(len(phrases))), elements=len(phrases), flags=[flags] * len(phrases),
    )  # fmt: skip
    texts = [text.encode() for text in table.column("text").to_pylist()]

    def once() -> int:
        hits = 0
        for text in texts:
            found = []
            with contextlib.suppress(hyperscan.ScanTerminated):
                database.scan(text, match_event_handler=lambda *event, found=found: found.append(event) or 1)
            hits += bool(found)
        return hits

    return timed(once)


def by_polars(table, phrases: list[str]) -> list[float]:
    import polars

    column = polars.from_arrow(table.column("text").combine_chunks())
    return timed(lambda: int(column.str.contains_any(phrases, ascii_case_insensitive=True).sum()))


def timed(once) -> list[float]:
    results = []
    for _ in range(5):
        started = time.perf_counter()
        hits = once()
        results.append((time.perf_counter() - started, hits))
    return results


if __name__ == "__main__":
    kind, texts_path, phrases_path = sys.argv[1:]
    with open(phrases_path, encoding="utf-8") as lines:
        wanted = lines.read().splitlines()
    runs = {"hyperscan": by_hyperscan, "polars": by_polars}[kind](pq.read_table(texts_path, columns=["text"]), wanted)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": [run[0] for run in runs], "hits": runs[0][1], "mb": memory}))
