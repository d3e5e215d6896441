"""How many rephrased HumanEval items the rule `rephrased` finds, against how many unrelated code rows it takes for one.

    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/measure_rephrased.py \\
        [--learn] [--encoder FOLDER] [--picture docs/images/rephrased.svg]

`--learn` first makes the published weights anew, from made rephrasings of functions of Python's standard library
(`made_rephrasings.py`) against functions of other modules: no weight has seen what is judged here. How hard those
rephrasings are, and that they hold examples, was chosen by what the items of even place said, with the figure for all
of them in sight; the column of odd places is the nearest to held out, and not strictly so. Of the 164 rephrased items
17 are empty, so that 147 can be found at most.

`--encoder` names the folder of a sentence-transformer with its ONNX export. It is judged twice over the same rows: by
cosine alone, and by what the rule finds when the nearest items are candidates too. About 4 minutes with
all-MiniLM-L6-v2 on 2 cores. fastText's vectors, trained on items and rows together, are always judged by cosine alone:
they are why the rule takes no word vectors. The picture holds the curves of that run, no other figures.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.made_rephrasings import Rephraser, Task, functions, with_examples
from bench.rephrased_picture import drawn
from conftest import SHARED_DATA
from contract.config.embedding import Embedding
from curate.decontaminate.rephrased.look import MEASURES, WEIGHTS, SecondLook, probability
from curate.decontaminate.rephrased.look import Weights as Model
from curate.decontaminate.rephrased.meaning import NearestItems
from curate.decontaminate.rephrased.retrieve import LEAST_COSINE, Candidates, Retriever
from curate.decontaminate.rephrased.traits import TRAITS
from curate.embed.load import embedder, sentence_transformer
from curate.shingles import words

Curves: TypeAlias = dict[str, tuple[np.ndarray, np.ndarray]]

TOP, NEAREST = 5, 3
SEED = 1
CODE_ITEMS, PROSE_ITEMS, TURNS = 600, 300, 2
EXAMPLES = 0.8  # share of tasks with made examples
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
CODE = re.compile(
    r"\bdef \w+\(|\bfunction \w*\(|#include|public (static|class)|\bclass \w+|\bimport \w+|console\.log|System\.out"
    r"|print\(|SELECT .* FROM|return \w+;?|</\w+>"
)
CODE_SOURCES = ("sahil280114/codealpaca", "teknium1/GPTeacher", "gururise/AlpacaDataCleaned")


class Judged:
    """Rows with the measures of their candidates."""

    def __init__(
        self,
        items: Sequence[str],
        rows: Sequence[str],
        least_cosine: float = LEAST_COSINE,
        near: Candidates | None = None,
    ) -> None:
        look = SecondLook(items)
        found = Retriever(words(list(items)), TOP).candidates(words(pa.array(rows, pa.string())))
        places = np.where(found.cosines >= least_cosine, found.items, -1)
        places = places if near is None else np.hstack([places, near.items])
        self.items = [np.array(list(dict.fromkeys(some[some >= 0].tolist())), np.int64) for some in places]
        self.measures = [look.measures(row, some.tolist()) for row, some in zip(rows, self.items, strict=True)]

    def best(self, model: Model) -> np.ndarray:
        """The highest score of each row; 0 without a candidate."""
        return np.array([probability(model, some).max(initial=0) for some in self.measures])


def learn() -> Model:
    """Weights from made rephrasings; negatives are functions of other modules, each with its first candidate."""
    from sklearn.linear_model import LogisticRegression

    rng = random.Random(SEED)
    tasks = [with_examples(task, rng) if rng.random() < EXAMPLES else task for task in functions()]
    known, others = tasks[: len(tasks) // 2], tasks[len(tasks) // 2 :]
    random.Random(SEED).shuffle(known)
    random.Random(SEED).shuffle(others)
    known = [*known[:CODE_ITEMS], *map(prose, known[CODE_ITEMS : CODE_ITEMS + PROSE_ITEMS])]
    items = [task.text for task in known]
    own: list[np.ndarray] = []
    for maker in (Rephraser(others, SEED + turn) for turn in range(TURNS)):
        made = Judged(items, [maker.rephrased(task) for task in known], 0)
        own += [some[places == item] for item, (places, some) in enumerate(zip(made.items, made.measures, strict=True))]
    rows = [task.text + task.solution for task in others] + [prose(task).text for task in others]
    unrelated = Judged(items, rows, 0)
    wrong = [some[:1] for some in unrelated.measures]
    x = np.concatenate([*own, *wrong])
    y = np.repeat([1, 0], [sum(map(len, own)), sum(map(len, wrong))])
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
    model = LogisticRegression(C=1.0, max_iter=2_000, class_weight="balanced").fit((x - mean) / scale, y)
    print(f"learned on {sum(map(len, own))} made rephrasings and {sum(map(len, wrong))} unrelated pairs")
    return Model(mean, scale, model.coef_[0], float(model.intercept_[0]))


def prose(task: Task) -> Task:
    """Only what the task says, without its signature and solution."""
    return Task(task.text.partition('"""')[2].replace('"""', "").strip(), "")


def publish(model: Model) -> None:
    """Write the weights where the stage reads them."""
    columns = [f"{trait}.{measure}" for trait in TRAITS for measure in MEASURES]
    parts = zip(columns, model.mean, model.scale, model.weight, strict=True)
    measures = {
        name: {"mean": round(mean, 6), "scale": round(scale, 6), "weight": round(weight, 6)}
        for name, mean, scale, weight in (map(_plain, part) for part in parts)
    }
    learned_on = "made rephrasings of functions of Python's standard library (tests/bench/measure_rephrased.py --learn)"
    value = {"learned_on": learned_on, "bias": round(model.bias, 6), "measures": measures}
    WEIGHTS.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    return float(value) if isinstance(value, np.floating) else value


def gold() -> tuple[list[str], list[str]]:
    """HumanEval prompts, and their rephrased copies in the same order."""
    with gzip.open(SHARED_DATA / "benchmarks" / "humaneval.jsonl.gz", "rt") as lines:
        items = [json.loads(line)["prompt"] for line in lines]
    with open(SHARED_DATA / "gold" / "humaneval_rephrased.jsonl") as lines:
        return items, [json.loads(line)["text"] for line in lines]


def code_rows() -> list[str]:
    """Unrelated code instructions: all of codealpaca, and the rows of two general sets that hold code."""
    columns = ["text", "source", "kind"]
    rows = pq.read_table(SHARED_DATA / "neardup" / "short.parquet", columns=columns).to_pylist()
    return [
        row["text"]
        for row in rows
        if row["kind"] == "base"
        and row["source"] in CODE_SOURCES
        and (row["source"] == CODE_SOURCES[0] or CODE.search(row["text"]))
    ]


def curve(found: np.ndarray, unrelated: np.ndarray) -> list[tuple[float, float, int]]:
    """For each rate of false positives, the threshold that gives it and how many of `found` are above."""
    thresholds = [float(np.quantile(unrelated, 1 - rate)) for rate in RATES]
    return [(rate, least, int((found > least).sum())) for rate, least in zip(RATES, thresholds, strict=True)]


def table(curves: Curves) -> None:
    """How many each way finds, by the share of unrelated rows that it takes for an item."""
    print(f"{'found, at false positives of':>48}" + "".join(f"{rate:>7.1%}" for rate in RATES))
    for name, (found, unrelated) in curves.items():
        print(f"{name:>48}" + "".join(f"{number:>7}" for _, _, number in curve(found, unrelated)))


def by_encoder(items: list[str], rephrased: list[str], rows: list[str], model: Model, folder: Path) -> Curves:
    """Curves of a sentence-transformer: as a source of candidates, and by cosine alone."""
    near = NearestItems(items, sentence_transformer(str(folder)), NEAREST)
    of_found, of_unrelated = near.candidates(rephrased), near.candidates(rows)
    found, unrelated = Judged(items, rephrased, near=of_found), Judged(items, rows, near=of_unrelated)
    own = sum(item in some for item, some in enumerate(of_found.items))
    print(f"own item among the {NEAREST} nearest: {own}; at threshold 0.9: found"
          f" {int((found.best(model) >= 0.9).sum())}, false {(unrelated.best(model) >= 0.9).mean():.2%}")  # fmt: skip
    for rate, least, number in curve(of_found.cosines[:, 0], of_unrelated.cosines[:, 0]):
        print(f"by a cosine above {least:.3f} alone: found {number}, false {rate:.1%}")
    return {
        "the rule, candidates by words and encoder": (found.best(model), unrelated.best(model)),
        "the encoder's cosine alone": (of_found.cosines[:, 0], of_unrelated.cosines[:, 0]),
    }


def by_word_vectors(items: list[str], rephrased: list[str], rows: list[str]) -> Curves:
    """The curve of fastText's vectors, trained on all these texts, by cosine alone."""
    near = NearestItems(items, embedder(Embedding(), lambda: [*items, *rephrased, *rows]), 1)
    found, unrelated = (near.candidates(some).cosines[:, 0] for some in (rephrased, rows))
    return {"fastText's cosine alone": (found, unrelated)}


def report(model: Model, encoder: Path | None, picture: Path | None) -> None:
    """The tables, and the picture if one is asked for."""
    items, rephrased = gold()
    rows = code_rows()
    curves = {"the rule, candidates by words": by_rule(items, rephrased, rows, model)}
    if encoder:
        curves |= by_encoder(items, rephrased, rows, model, encoder)
    curves |= by_word_vectors(items, rephrased, rows)
    table(curves)
    if picture:
        picture.write_text(drawn(curves, sum(not text.strip() for text in rephrased)), encoding="utf-8")


def by_rule(items: list[str], rephrased: list[str], rows: list[str], model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Print how the rule fares with candidates by words; the scores of the rephrased items and of unrelated rows."""
    found, unrelated = Judged(items, rephrased), Judged(items, rows)
    scores, wrong = found.best(model), unrelated.best(model)
    retrieved = sum(item in some for item, some in enumerate(found.items))
    own = np.array(
        [len(some) > 0 and some[probability(model, m).argmax()] == i
         for i, (some, m) in enumerate(zip(found.items, found.measures, strict=True))]
    )  # fmt: skip
    print(f"{len(rephrased)} rephrased items, {sum(not text.strip() for text in rephrased)} of them empty;"
          f" {len(rows):,} unrelated code rows; own item among {TOP} candidates: {retrieved}")  # fmt: skip
    print(f"{'false positives':>16}{'threshold':>11}{'found':>7}{'by own item':>13}{'even':>6}{'odd':>6}")
    for rate, least, number in curve(scores, wrong):
        above = scores > least
        print(f"{rate:>16.1%}{least:>11.3f}{number:>7}{int((above & own).sum()):>13}"
              f"{int(above[::2].sum()):>6}{int(above[1::2].sum()):>6}")  # fmt: skip
    for least in (0.5, 0.8, 0.9, 0.95, 0.99):
        print(f"at threshold {least}: found {int((scores >= least).sum())}, false {(wrong >= least).mean():.2%}")
    functions_of_python = Judged(items, [task.text + task.solution for task in functions()]).best(model)
    print(f"documented functions of Python's standard library taken for an item at 0.9:"
          f" {(functions_of_python >= 0.9).mean():.2%} of {len(functions_of_python):,}")  # fmt: skip
    return scores, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--learn", action="store_true", help="make the published weights anew first")
    parser.add_argument("--encoder", type=Path, help="folder of a sentence-transformer to judge as well")
    parser.add_argument("--picture", type=Path, help="where to draw the curves, as SVG")
    options = parser.parse_args()
    if options.learn:
        publish(learn())
    from curate.decontaminate.rephrased.look import learned

    report(learned(), options.encoder, options.picture)


if __name__ == "__main__":
    main()
