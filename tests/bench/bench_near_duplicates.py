"""Near-duplicates: speed, memory and quality beside gaoya, rensa, datasketch, datatrove and data-juicer, in one run.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install gaoya rensa datasketch xxhash pyarrow
    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/bench_near_duplicates.py \\
        --peer-python /tmp/peers/bin/python
    ... --datatrove-python  that of an environment with datatrove[io,processing], spacy and orjson: one run of a minute
    ... --juicer-python     that of an environment with py-data-juicer, aiohttp and torch: one run of a minute
    ... --corpus long       whole files of the installed packages, with planted edits, instead of ../shared/data/neardup
    ... --corpus growth     10,000, 100,000 and 1,000,000 short rows, ours alone

Threshold 0.7, word 5-grams. `work` is from texts to kept rows, for ours with reading and warm kernels, for others
without reading; `process` is all of it, imports and reading included. Recall is 1 - left over / (left over + rightly
removed); `false` are removed rows with no row of Jaccard >= 0.7 anywhere, `orphans` removed rows with no kept one. All
are counted on exact truth: the pairs beside the short rows, or all pairs of the long documents by prefix filtering.
CPU seconds leave out datatrove's workers, which are no children of the process that is waited for.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.corpora import as_dataset, as_parquet, grown, long_documents, short_rows, short_truth
from bench.measured import measured
from conftest import ROOT
from curate.shingles import shingle_sets
from curate.similar import numbered, similar_pairs

HERE = Path(__file__).resolve().parent
THRESHOLD, ROUNDING = 0.7, 1e-6
CONFIG = {"threshold": THRESHOLD, "exact": False}
PEERS = {"gaoya": 5, "gaoya_bulk": 5, "rensa": 5, "datasketch": 1}
"""Libraries, and of how many runs a median is taken at most."""
PIPELINES = ("datatrove", "data_juicer")
ENV = {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/curate"}


def long_truth(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    pairs = similar_pairs(numbered(shingle_sets(texts, 5)), 0.6)
    return np.column_stack([pairs.left, pairs.right]), pairs.jaccard


def quality(kept_rows: np.ndarray, rows: int, pairs: np.ndarray) -> tuple[float, float, float]:
    """Recall, and false removals and orphans as shares of what was removed. `pairs` are all that are alike."""
    kept = np.zeros(rows, bool)
    kept[kept_rows] = True
    alike, saved = np.zeros(rows, bool), np.zeros(rows, bool)
    alike[pairs.ravel()] = True
    for one, other in ((0, 1), (1, 0)):
        saved[pairs[kept[pairs[:, one]], other]] = True
    left_over = len(np.unique(pairs[kept[pairs].all(axis=1), 1]))
    gone = ~kept
    removed, right = max(1, int(gone.sum())), int((gone & alike).sum())
    return 1 - left_over / max(1, left_over + right), (gone & ~alike).sum() / removed, (gone & ~saved).sum() / removed


def ours(dataset: str, out: Path, runs: int, config: dict) -> tuple[dict, list]:
    command = [sys.executable, str(HERE / "near_ours.py"), dataset, str(out), json.dumps(config)]
    measured([*command, "1"], ENV)  # compiles the kernels, once per machine
    whole = [measured([*command, "1"], ENV) for _ in range(runs)]
    work = [json.loads(measured([*command, "2"], ENV).output)["work"] for _ in range(runs)]
    return {"work": statistics.median(work)}, whole


def peer(python: str, script: str, name: str, file: Path, out: Path, runs: int) -> tuple[dict, list]:
    whole = [measured([python, str(HERE / script), name, str(file), str(out)]) for _ in range(runs)]
    work = [json.loads(one.output.splitlines()[-1])["work"] for one in whole]
    return {"work": statistics.median(work)}, whole


def peers(options: argparse.Namespace) -> list[tuple[str, str, str, int]]:
    """Python, script, name and runs of each peer whose Python is given."""
    pythons = {"datatrove": options.datatrove_python, "data_juicer": options.juicer_python}
    libraries = PEERS if options.peer_python else {}
    found = [(options.peer_python, "near_peers.py", name, min(most, options.runs)) for name, most in libraries.items()]
    return found + [(pythons[name], "near_pipelines.py", name, 1) for name in PIPELINES if pythons[name]]


def compare(texts: list[str], pairs: np.ndarray, options: argparse.Namespace, folder: Path) -> None:
    dataset, file = as_dataset(texts, folder / "rows"), as_parquet(texts, folder / "rows.parquet")
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts):,} rows, {size:,.0f} MB, medians of {options.runs} runs\n")
    heads = ["library", "work s", "rows/s", "MB/s", "process s", "CPU s", "RSS MB", "kept"]
    heads += ["recall", "false", "orphans"]
    print("{:<12}{:>8}{:>10}{:>7}{:>11}{:>7}{:>8}{:>9}{:>8}{:>9}{:>9}".format(*heads))
    found = {}
    others = {name: (python, script, runs) for python, script, name, runs in peers(options)}
    for name in ("ours", *others):
        out = folder / f"{name}.npy"
        if name == "ours":
            work, whole = ours(dataset, out, options.runs, CONFIG)
        else:
            python, script, runs = others[name]
            work, whole = peer(python, script, name, file, out, runs)
        kept = np.load(out)
        recall, false, orphans = quality(kept, len(texts), pairs)
        process = statistics.median(one.seconds for one in whole)
        found[name] = work["work"], process
        print(
            f"{name:<12}{work['work']:>8.2f}{len(texts) / work['work']:>10,.0f}{size / work['work']:>7.0f}"
            f"{process:>11.2f}{statistics.median(one.cpu for one in whole):>7.1f}{whole[0].resident:>8.0f}"
            f"{len(kept):>9,}{recall:>8.4f}{false:>9.3%}{orphans:>9.3%}",
            flush=True,
        )
    for what, names in (("fastest library", PEERS), ("datatrove", ["datatrove"]), ("data_juicer", ["data_juicer"])):
        if times := [found[name] for name in names if name in found]:
            work, process = (
                min(those) / own for those, own in zip(zip(*times, strict=True), found["ours"], strict=True)
            )
            print(f"{what} / ours: work {work:.1f}, process {process:.1f}")


def growth(options: argparse.Namespace, folder: Path) -> None:
    print(f"{'rows':>10}{'process s':>11}{'rows/s':>10}{'CPU s':>8}{'RSS MB':>8}{'anonymous MB':>14}")
    for rows in (10_000, 100_000, 1_000_000):
        dataset = as_dataset(grown(rows), folder / f"rows{rows}")
        _, whole = ours(dataset, folder / "kept.npy", options.runs, CONFIG)
        seconds = statistics.median(one.seconds for one in whole)
        one = whole[0]
        memory = f"{one.resident:>8.0f}{one.anonymous:>14.0f}"
        print(f"{rows:>10,}{seconds:>11.2f}{rows / seconds:>10,.0f}{one.cpu:>8.1f}{memory}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--corpus", choices=["short", "long", "growth"], default="short")
    for peer_python in ("--peer-python", "--datatrove-python", "--juicer-python"):
        parser.add_argument(peer_python)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if options.corpus == "growth":
            growth(options, Path(name))
            return
        texts = short_rows() if options.corpus == "short" else long_documents(15_000)
        pairs, similarity = short_truth() if options.corpus == "short" else long_truth(texts)
        compare(texts, pairs[similarity >= THRESHOLD - ROUNDING], options, Path(name))


if __name__ == "__main__":
    main()
