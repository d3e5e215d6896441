"""Semantic duplicates: speed, memory and quality beside SemHash on the same vectors, in one run.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install semhash==0.5.0
    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_semantic.py \\
        --peer-python /tmp/peers/bin/python
    ... --rows 20000        fewer rows of ../shared/data/neardup/short.parquet, which all are compared with all

Vectors are learnt by fastText from the rows themselves; training and embedding have a line of their own. `work` is from
vectors to kept rows in a warm process, `process` all of it, imports and reading included. Of the rows kept, `left over`
are those with another kept row at the threshold before them; of the rows dropped, `orphans` are those with no kept row
at the threshold; both counted on all pairs.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.corpora import short_rows
from bench.measured import measured
from conftest import ROOT
from contract.config.embedding import Embedding
from contract.config.semantic import Semantic
from curate.embed.skipgram import train

HERE = Path(__file__).resolve().parent
ENV = {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/curate"}
BLOCK = 2048


def vectors_of(rows: int, folder: Path) -> Path:
    """Vectors of the longest rows first, as the stage would order them."""
    texts = sorted(short_rows()[:rows], key=lambda text: (-len(text), text))
    started = time.perf_counter()
    encoder = train(texts[:: max(1, len(texts) // 30_000)], Embedding())
    trained = time.perf_counter()
    path = folder / "vectors.npy"
    np.save(path, encoder.embed(texts))
    rate = len(texts) / (time.perf_counter() - trained)
    print(f"{len(texts):,} rows; training {trained - started:.1f} s, embedding {rate:,.0f} rows/s on one core\n")
    return path


def quality(vectors: np.ndarray, kept: np.ndarray, threshold: float) -> tuple[float, float]:
    """Kept rows with an earlier kept one at the threshold, and dropped rows with no kept one, as shares."""
    gone = np.setdiff1d(np.arange(len(vectors)), kept)
    left_over, orphans = 0, 0
    for start in range(0, len(kept), BLOCK):
        rows = kept[start : start + BLOCK]
        alike = vectors[rows] @ vectors[kept[: start + len(rows)]].T
        alike[np.arange(len(rows))[:, None] + start <= np.arange(start + len(rows))] = 0
        left_over += int((alike.max(axis=1, initial=0) >= threshold + 1e-5).sum())
    for start in range(0, len(gone), BLOCK):
        alike = vectors[gone[start : start + BLOCK]] @ vectors[kept].T
        orphans += int((alike.max(axis=1, initial=0) < threshold - 1e-5).sum())
    return left_over / max(1, len(kept)), orphans / max(1, len(gone))


def run(name: str, command: list[str], runs: int) -> tuple[float, list]:
    whole = [measured(command, ENV if name.startswith("ours") else None) for _ in range(runs)]
    return statistics.median(json.loads(one.output)["work"] for one in whole), whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--peer-python")
    parser.add_argument("--rows", type=int, default=112_000)
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = vectors_of(options.rows, folder)
        config = Semantic(threshold=options.threshold).model_dump_json()
        out = str(folder / "kept.npy")
        commands = {"ours": [sys.executable, str(HERE / "semantic_ours.py"), str(file), out, config, "1"]}
        measured(commands["ours"], ENV)  # compiles the kernels, once per machine
        if options.peer_python:
            threshold = str(options.threshold)
            commands["SemHash"] = [options.peer_python, str(HERE / "semantic_peers.py"), str(file), out, threshold]
        vectors = np.load(file)
        heads = ("library", "work s", "rows/s", "process s", "CPU s", "RSS MB", "kept", "left over", "orphans")
        print("{:<10}{:>8}{:>10}{:>11}{:>8}{:>8}{:>9}{:>11}{:>9}".format(*heads))
        for library, command in commands.items():
            work, whole = run(library, command, options.runs)
            kept = np.load(out)
            left_over, orphans = quality(vectors, kept, options.threshold)
            process, cpu = (statistics.median(getattr(one, what) for one in whole) for what in ("seconds", "cpu"))
            print(
                f"{library:<10}{work:>8.2f}{len(vectors) / work:>10,.0f}{process:>11.2f}{cpu:>8.1f}"
                f"{whole[0].resident:>8.0f}{len(kept):>9,}{left_over:>11.3%}{orphans:>9.3%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
