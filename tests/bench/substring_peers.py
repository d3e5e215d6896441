"""Repeated passages by a suffix array, run by bench_substring.py in its own Python.

    python substring_peers.py ROWS.parquet LENGTH      prints `work` seconds and how many words and rows are repeats

The method of Lee et al. (2022): all texts one after another, a suffix array of them, and every place that has the next
`LENGTH` words in common with a neighbour in the array. Their own tool is a Rust program that wants its crates, and the
exact-substring step of datatrove calls it; here the array is made by libdivsufsort (pydivsufsort), the fastest known.
Words are numbered and written as three bytes each, so that both sides look for the same passages; a passage counts in
every row but the first that has it. Needs pydivsufsort, numpy and pyarrow.
"""

import json
import re
import sys
import time

import numpy as np
import pyarrow.parquet as pq

WORDS = re.compile(r"\w+")
WIDTH = 3  # bytes of a word's number


def numbered(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of all words, each text followed by a number of its own, and the row of each."""
    seen: dict[str, int] = {}
    numbers, rows = [], []
    for row, text in enumerate(texts):
        words = [seen.setdefault(word, len(seen)) for word in WORDS.findall(text.lower())]
        numbers += [*words, -row - 1]
        rows += [row] * (len(words) + 1)
    found = np.array(numbers)
    found[found < 0] = len(seen) - found[found < 0]
    return found, np.array(rows)


def repeated(numbers: np.ndarray, rows: np.ndarray, length: int) -> np.ndarray:
    """Words of passages that stand in an earlier row too."""
    from pydivsufsort import divsufsort, kasai

    data = numbers.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 4 - WIDTH :].ravel()
    array = divsufsort(data)
    common = kasai(data, array)
    whole = np.flatnonzero(array % WIDTH == 0)  # suffixes that begin with a word
    groups = np.add.reduceat(common < length * WIDTH, np.concatenate([[0], whole[:-1]]))[1:] > 0
    label = np.concatenate([[0], np.cumsum(groups)])
    words = array[whole] // WIDTH
    order = np.lexsort((words, label))
    first = np.concatenate([[True], label[order][1:] != label[order][:-1]])
    leader = rows[words[order]][np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
    starts = words[order][rows[words[order]] != leader]
    marks = np.zeros(len(numbers) + 1, np.int64)
    np.add.at(marks, starts, 1)
    np.add.at(marks, np.minimum(starts + length, len(numbers)), -1)
    return np.cumsum(marks)[:-1] > 0


def main() -> None:
    file, length = sys.argv[1:]
    texts = pq.read_table(file, columns=["text"])["text"].to_pylist()
    started = time.perf_counter()
    numbers, rows = numbered(texts)
    tokenised = time.perf_counter()
    inside = repeated(numbers, rows, int(length))
    ended = time.perf_counter()
    found = {"work": ended - started, "array": ended - tokenised, "words": int(inside.sum())}
    print(json.dumps(found | {"rows": len(np.unique(rows[inside]))}))


if __name__ == "__main__":
    main()
