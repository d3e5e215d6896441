"""Peers, for bench_decontaminate.py: PEER ITEMS ROWS N LIMIT -> one line of JSON with seconds and rows found.

`open_r1` is the algorithm of open-r1's script, written from its description: texts lower-cased and split at white
space, the items' n-grams in a set of strings, a row goes when one of its n-grams is in it. `datatrove` is its
NGramsDecontFilter; its index is filled with its own tokenizer and hash, since its indexer needs lighteval.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice

import pyarrow.parquet as pq

BATCH = 2_000


def open_r1(items: list[str], rows: Iterable[str], n: int) -> dict[str, float]:
    started = time.perf_counter()
    known = {gram for item in items for gram in grams(item, n)}
    build, started = time.perf_counter() - started, time.perf_counter()
    found = sum(not known.isdisjoint(grams(row, n)) for row in rows)
    return {"build": build, "work": time.perf_counter() - started, "found": found}


def grams(text: str, n: int) -> Iterator[str]:
    words = text.lower().split()
    return (" ".join(words[start : start + n]) for start in range(len(words) - n + 1))


def datatrove(items: list[str], rows: Iterable[str], n: int) -> dict[str, float]:
    from datatrove.data import Document
    from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter
    from datatrove.pipeline.filters.base_filter import get_filter_result
    from datatrove.utils.text import ngrams, simplify_text

    started = time.perf_counter()
    judge = NGramsDecontFilter(".", NGramsDecontConfig(n_grams=n))
    split = judge.tokenizer.word_tokenize
    judge._index_hashes = {
        judge.hash_func(" ".join(gram)): "bench"
        for item in items
        for gram in ngrams(split(simplify_text(item, judge.config.norm_config)), n)
    }
    build, started = time.perf_counter() - started, time.perf_counter()
    kept = [get_filter_result(judge.filter(Document(text=row, id=str(i))))[0] for i, row in enumerate(rows)]
    return {"build": build, "work": time.perf_counter() - started, "found": kept.count(False)}


def texts(file: str) -> Iterator[str]:
    for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=["text"]):
        yield from batch["text"].to_pylist()


def main() -> None:
    peer, items_file, rows_file, n, limit = sys.argv[1:]
    with open(items_file, encoding="utf-8") as lines:
        items = [json.loads(line)["text"] for line in lines]
    rows = islice(texts(rows_file), int(limit) or None)
    print(json.dumps({"open_r1": open_r1, "datatrove": datatrove}[peer](items, rows, int(n))))


if __name__ == "__main__":
    main()
