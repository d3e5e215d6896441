"""The report recovers what was planted into scripted judges, through real requests: kappa, order and length bias.

Biases are planted exactly: of the pairs, in hashed order, so many fall to each cell of truth, length and bias.
"""

import itertools
import json

import pytest

from judge_runs import check_judged, sample
from judge_server import drawn, honest, worth

CONFUSION = [[30, 12, 5, 1], [8, 40, 14, 3], [2, 11, 45, 9], [0, 4, 15, 41]]
"""How often people said the row's value and the judge the column's."""
NOTHING_ELSE = [sample(9_999, 3)]
POINTS = 0.02
PAIRS = 120


def kappas(counts) -> tuple[float, float]:
    """Cohen's kappa, plain and quadratic, in another way than the product's: from sums over all cells."""
    total = sum(map(sum, counts))
    rows, columns = [sum(row) for row in counts], [sum(column) for column in zip(*counts, strict=True)]
    cells = list(itertools.product(range(4), repeat=2))
    found = []
    for weight in (lambda i, j: float(i != j), lambda i, j: (i - j) ** 2):
        observed = sum(weight(i, j) * counts[i][j] for i, j in cells) / total
        expected = sum(weight(i, j) * rows[i] * columns[j] for i, j in cells) / total**2
        found.append(1 - observed / expected)
    return tuple(found)


def test_a_known_confusion_comes_back(judge, server):
    cells = [(i + 1, j + 1) for i, row in enumerate(CONFUSION) for j, count in enumerate(row) for _ in range(count)]
    gold = [
        {"instruction": f"Q{n}?", "answer": f"A{n} [worth {says}]", "verdict": truth}
        for n, (truth, says) in enumerate(cells)
    ]
    made = judge(NOTHING_ELSE, gold=gold, concurrency=32)
    check_judged(made)
    found = made.report["criteria"][0]["gold"]
    assert found["confusion"] == CONFUSION
    assert (found["kappa"], found["weighted_kappa"]) == pytest.approx(kappas(CONFUSION), abs=1e-6)
    assert found["percent"] == pytest.approx(156 / 240)
    reliability = {row["verdict"]: row["people"] for row in found["reliability"]}
    assert reliability["4"] == pytest.approx((1 * 1 + 2 * 3 + 3 * 9 + 4 * 41) / 54)
    assert made.manifest.metrics["helpful_kappa"] == found["kappa"]


def gold_pairs(number: int, lean: float = 0.0) -> list[dict]:
    """Pairs of which people prefer either side equally often, the longer one more often by `lean`; either side is the
    longer one equally often."""
    names = sorted((f"pair {n}" for n in range(number)), key=lambda name: drawn("order", name))
    rows = []
    for place, name in enumerate(names):
        long_first, long_is_better = place % 2, (place // 2) < (1 + lean) / 2 * (number / 2)
        better_first = bool(long_first) == long_is_better
        lengths = (300, 100) if long_first else (100, 300)
        first, second = (
            f"{'x' * length} [worth {4 if better else 1}]"
            for length, better in zip(lengths, (better_first, not better_first), strict=True)
        )
        rows.append(
            {
                "instruction": name,
                "answer": first,
                "opponent": second,
                "verdict": "model_a" if better_first else "model_b",
            }
        )
    return rows


def biased(names: list[str], order: float, length: float, salt: str = "bias"):
    """A judge that takes the first answer of that share of the pairs, and the longer one of that share of the rest."""
    ranked = sorted(names, key=lambda name: drawn(salt, name))
    by_order = set(ranked[: round(order * len(ranked))])
    rest = ranked[len(by_order) :]
    by_length = set(rest[: round(length * len(rest))])

    def script(shown):
        if shown.name in by_order:
            return {"feedback": "The first.", "better": "A"}
        if shown.name in by_length:
            longer_first = len(shown.part("answer_a")) > len(shown.part("answer_b"))
            return {"feedback": "The longer.", "better": "A" if longer_first else "B"}
        return honest(shown)

    return script


@pytest.mark.parametrize(("order", "length", "lean"), [(0.0, 0.0, 0.0), (0.3, 0.0, 0.2), (0.0, 0.25, 0.2)])
def test_planted_biases_come_back(judge, server, order, length, lean):
    gold = gold_pairs(PAIRS, lean)
    server.script = biased([row["instruction"] for row in gold], order, length)
    opponent = {"model": "rival", "base_url": server.url}
    made = judge(NOTHING_ELSE, gold=gold, method="pairwise", opponent=opponent, concurrency=32)
    check_judged(made)
    found = made.report["criteria"][0]
    row = found["orders"][0]
    assert row["bias"] == pytest.approx(order, abs=POINTS)
    assert row["consistency"] == pytest.approx(1 - order, abs=POINTS)
    assert found["length"]["lean_of_people"] == pytest.approx(lean, abs=POINTS)
    if not order:
        assert found["length"]["bias"] == pytest.approx(length, abs=POINTS)
    assert found["gold"]["items"] == PAIRS
    assert found["gold"]["confusion"][0][1] + found["gold"]["confusion"][2][1] == pytest.approx(PAIRS * order, abs=2)


def test_each_jurors_bias_is_its_own(judge, server):
    gold = gold_pairs(60)
    names = [row["instruction"] for row in gold]
    scripts = {"fair": honest, "first": biased(names, 0.5, 0), "wordy": biased(names, 0, 0.5, "words")}
    server.script = lambda shown: scripts[shown.model](shown)
    judges = [{"model": model, "base_url": server.url} for model in scripts]
    opponent = {"model": "fair", "base_url": server.url}
    made = judge(
        NOTHING_ELSE, gold=gold, method="pairwise", judges=judges, opponent=opponent, aggregate="vote", concurrency=32
    )
    found = made.report["criteria"][0]
    assert {row["judge"]: row["bias"] for row in found["orders"]} == pytest.approx(
        {"fair": 0, "first": 0.5, "wordy": 0}, abs=POINTS
    )
    by_judge = {row["judge"]: row["percent"] for row in found["gold"]["by_judge"]}
    assert by_judge["fair"] == 1.0
    assert by_judge["first"] == pytest.approx(0.5, abs=POINTS)
    assert found["gold"]["percent"] > max(by_judge["first"], by_judge["wordy"])
    assert "first" in made.page


def test_the_page_needs_nothing_and_escapes_what_it_shows(judge, server):
    name = "<script>alert(1)</script>"
    made = judge([sample(1, 3)], judges=[{"model": name, "base_url": server.url}])
    assert name not in made.page
    assert "&lt;script&gt;" in made.page
    assert "http" not in made.page.replace(server.url, "")
    assert json.dumps(made.report)
    assert worth(made.samples[0].answer) == 3
