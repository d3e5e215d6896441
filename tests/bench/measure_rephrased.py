"""How many rephrased HumanEval items the rule `rephrased` finds, against how many unrelated code rows it takes for one.

    PYTHONPATH=images/shared:images/curate:tests .venv/curate/bin/python tests/bench/measure_rephrased.py [--learn]

`--learn` first makes the published weights anew, from made rephrasings of functions of Python's standard library
(`made_rephrasings.py`) against functions of other modules: no weight has seen what is judged here. How hard those
rephrasings are, and that they hold examples, was chosen by what the items of even place said, with the figure for all
of them in sight; the column of odd places is the nearest to held out, and not strictly so. Of the 164 rephrased items
17 are empty, so that 147 can be found at most. The picture shows beside it what cosine of all-MiniLM-L6-v2 alone found
when it was measured on 10,900 such rows.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.made_rephrasings import Rephraser, Task, functions, with_examples
from conftest import SHARED_DATA
from curate.decontaminate.rephrased.look import MEASURES, WEIGHTS, SecondLook, probability
from curate.decontaminate.rephrased.look import Weights as Model
from curate.decontaminate.rephrased.retrieve import LEAST_COSINE, Retriever
from curate.decontaminate.rephrased.traits import TRAITS
from curate.shingles import words

TOP = 5
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

    def __init__(self, items: Sequence[str], rows: Sequence[str], least_cosine: float = LEAST_COSINE) -> None:
        look = SecondLook(items)
        found = Retriever(words(list(items)), TOP).candidates(words(pa.array(rows, pa.string())))
        self.items = [
            some[(some >= 0) & (near >= least_cosine)] for some, near in zip(found.items, found.cosines, strict=True)
        ]
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


def report(model: Model, picture: Path | None) -> None:
    """The tables, and the picture if one is asked for."""
    items, rephrased = gold()
    rows = code_rows()
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
    if picture:
        picture.write_text(drawn(scores, wrong), encoding="utf-8")


def drawn(found: np.ndarray, unrelated: np.ndarray) -> str:
    """Recall against false positives as SVG, the latter from 0.05 % to 10 % on a scale of powers."""
    rates = np.geomspace(0.0005, 0.1, 80)
    recall = [(found > np.quantile(unrelated, 1 - rate)).mean() for rate in rates]
    x = lambda rate: 70 + 620 * np.log(rate / 0.0005) / np.log(200)  # noqa: E731
    y = lambda share: 340 - 300 * share  # noqa: E731
    line = " ".join(f"{x(rate):.1f},{y(share):.1f}" for rate, share in zip(rates, recall, strict=True))
    across = "".join(
        f'<line x1="70" x2="690" y1="{y(s)}" y2="{y(s)}" stroke="#dde2ea"/>'
        f'<text x="60" y="{y(s) + 4}" text-anchor="end" fill="#5a6475">{s:.0%}</text>'
        for s in (0, 0.25, 0.5, 0.75, 1)
    )
    along = "".join(
        f'<line x1="{x(r):.1f}" x2="{x(r):.1f}" y1="40" y2="340" stroke="#dde2ea"/>'
        f'<text x="{x(r):.1f}" y="360" text-anchor="middle" fill="#5a6475">{r:.1%}</text>'
        for r in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
    )
    most = y(147 / 164)
    points = [("nocturne: ", 0.01, (found > np.quantile(unrelated, 0.99)).mean(), "#1f5fa8", "end", 6, -14)]
    points += [("all-MiniLM-L6-v2, cosine alone: ", 0.01, 53 / 164, "#a8501f", "end", 8, 20)]
    points += [("", 0.05, 115 / 164, "#a8501f", "end", 8, 20)]
    dots = "".join(
        f'<circle cx="{x(r):.1f}" cy="{y(s):.1f}" r="5" fill="{c}"/><text fill="{c}"'
        f' x="{x(r) - dx:.1f}" y="{y(s) + dy:.1f}" text-anchor="{anchor}">{name}{s * 164:.0f} of 164</text>'
        for name, r, s, c, anchor, dx, dy in points
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 410" font-family="system-ui, sans-serif"'
        ' font-size="13"><rect width="720" height="410" fill="white"/>'
        '<text x="70" y="24" font-size="15" font-weight="600">Rephrased HumanEval items found</text>'
        f"{across}{along}"
        f'<line x1="70" x2="690" y1="{most:.1f}" y2="{most:.1f}" stroke="#8a93a3" stroke-dasharray="4 4"/>'
        f'<text x="76" y="{most - 6:.1f}" fill="#5a6475">17 of the 164 copies are empty</text>'
        f'<polyline points="{line}" fill="none" stroke="#1f5fa8" stroke-width="2.5"/>{dots}'
        '<text x="380" y="392" text-anchor="middle" fill="#5a6475">unrelated code rows taken for an item</text></svg>\n'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--learn", action="store_true", help="make the published weights anew first")
    parser.add_argument("--picture", type=Path, help="where to draw the curve, as SVG")
    options = parser.parse_args()
    if options.learn:
        publish(learn())
    from curate.decontaminate.rephrased.look import learned

    report(learned(), options.picture)


if __name__ == "__main__":
    main()
