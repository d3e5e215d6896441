"""Near-duplicates by other libraries, run by bench_near_duplicates.py in their own Python: gaoya, rensa, datasketch.

    python near_peers.py NAME FILE.parquet OUT.npy      writes the numbers of the rows kept; prints seconds of work

Needs gaoya, rensa, datasketch, xxhash, numpy and pyarrow. Each is used as its users use it: words by `re`, 5-grams,
threshold 0.7, 128 functions (14 bands x 9 rows for datasketch, 16 x 8 for the others), the first of several kept.
"""

import json
import re
import sys
import time

import numpy as np
import pyarrow.parquet as pq

WORDS = re.compile(r"\w+")
THRESHOLD, BANDS, ROWS = 0.7, 16, 8


def shingles(text: str) -> list[str]:
    words = WORDS.findall(text.lower())
    return [" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))] if words else []


def gaoya_greedy(texts: list[str]) -> list[int]:
    from gaoya.minhash import MinHashStringIndex

    index = MinHashStringIndex(32, THRESHOLD, BANDS, ROWS, analyzer="word", lowercase=True, ngram_range=(5, 5))
    kept = []
    for row, text in enumerate(texts):
        if not index.query(text):
            index.insert_document(row, text)
            kept.append(row)
    return kept


def gaoya_bulk(texts: list[str]) -> list[int]:
    from gaoya.minhash import MinHashStringIndex

    index = MinHashStringIndex(32, THRESHOLD, BANDS, ROWS, analyzer="word", lowercase=True, ngram_range=(5, 5))
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    leader = list(range(len(texts)))

    def find(row: int) -> int:
        while leader[row] != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    for row, others in enumerate(index.par_bulk_query(texts)):
        for other in others:
            one, two = find(row), find(other)
            leader[max(one, two)] = min(one, two)
    return [row for row in range(len(texts)) if find(row) == row]


def rensa_pairs(texts: list[str]) -> list[int]:
    from rensa import RMinHash, RMinHashDeduplicator

    dedup = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=BANDS * ROWS, use_lsh=True, num_bands=BANDS, seed=42)
    pairs = []
    for row, text in enumerate(texts):
        minhash = RMinHash(num_perm=BANDS * ROWS, seed=42)
        minhash.update(shingles(text))
        pairs.append((str(row), minhash))
    added = dedup.add_pairs(pairs)
    return [row for row, new in enumerate(added) if new]


def datasketch_bulk(texts: list[str]) -> list[int]:
    import xxhash
    from datasketch import MinHash, MinHashLSH

    index, kept = MinHashLSH(threshold=THRESHOLD, num_perm=128, params=(14, 9)), []
    rows = ([gram.encode() for gram in shingles(text)] for text in texts)
    for row, minhash in enumerate(MinHash.generator(rows, num_perm=128, hashfunc=xxhash.xxh32_intdigest)):
        if not index.query(minhash):
            index.insert(row, minhash)
            kept.append(row)
    return kept


NAMES = {"gaoya": gaoya_greedy, "gaoya_bulk": gaoya_bulk, "rensa": rensa_pairs, "datasketch": datasketch_bulk}

if __name__ == "__main__":
    name, file, out = sys.argv[1:]
    texts = pq.read_table(file, columns=["text"])["text"].to_pylist()
    started, cpu = time.perf_counter(), time.process_time()
    kept = NAMES[name](texts)
    result = {"work": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    np.save(out, np.array(kept))
    sys.stdout.write(json.dumps(result) + "\n")
