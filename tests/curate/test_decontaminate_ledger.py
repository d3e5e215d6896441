"""decontaminate's ledger: rule, value, threshold and partner of dropped rows, recomputed by hand-written code."""

import json
import random
import re

import pytest

from contract.records import Document
from curate.decontaminate.perturb import KINDS, perturbed
from curate_texts import document, read, similarity, write_dataset

CONFIG = {"any_match": True, "near": 0.5, "ngram": 8, "coverage": 0.5}
CHOSEN = 20


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def holds(row: str, item: str) -> bool:
    return f" {' '.join(words(item))} " in f" {' '.join(words(row))} "


def covered(row: str, item: str, n: int) -> int:
    """How many of the item's words lie in an n-gram that the row has too."""
    of_row, of_item = words(row), words(item)
    there = {tuple(of_row[i : i + n]) for i in range(len(of_row) - n + 1)}
    return len({i + k for i in range(len(of_item) - n + 1) if tuple(of_item[i : i + n]) in there for k in range(n)})


def verdict(row: str, items: list[str]) -> tuple[str, float, float, int] | None:
    """First rule, value, threshold and number of the item, by the order of the rules and the greatest value."""
    for number, item in enumerate(items, 1):
        if holds(row, item):
            return "exact", 1.0, 1.0, number
    shares = [covered(row, item, 8) / len(words(item)) for item in items]
    if max(shares) > 0.5:
        return "ngram_coverage", max(shares), 0.5, shares.index(max(shares)) + 1
    longest = [covered(row, item, 13) for item in items]
    if max(longest) > 0:
        return "any_match", max(longest), 13, longest.index(max(longest)) + 1
    alike = [similarity(row, item) for item in items]
    return ("near", max(alike), 0.5, alike.index(max(alike)) + 1) if max(alike) >= 0.5 else None


@pytest.fixture
def planted(shared_data, tmp_path):
    """Rows by id: changed copies of real items, parts of them, and articles; and the items."""
    with (shared_data / "benchmarks" / "gsm8k_test.jsonl").open() as lines:
        items = [json.loads(line)["question"] for line in lines][:150]
    draw = random.Random(5)
    texts = []
    for number, item in enumerate(draw.sample(items, 60)):
        cut = " ".join(item.split()[: draw.randint(10, 30)])
        copy = perturbed(item, draw.choice(list(KINDS)), str(number), ["lorem", "ipsum"])
        texts.append(f"Question: {draw.choice([copy, cut, copy])} Answer below.")
    articles = json.loads((shared_data / "articles.json").read_text())["artifact_data"]
    texts += [str(article["content"])[:2_000] for article in articles[:10]]
    (tmp_path / "bench.jsonl").write_text("".join(json.dumps({"q": item}) + "\n" for item in items))
    return {f"doc-{i}": text for i, text in enumerate(texts)}, items


def test_dropped_rows_recomputed_by_hand(run_stage, planted, tmp_path):
    texts, items = planted
    uri = write_dataset(tmp_path / "in", [document(i, text) for i, text in enumerate(texts.values())], Document)
    benchmark = {"name": "gsm8k", "uri": str(tmp_path / "bench.jsonl"), "fields": ["q"]}
    result = run_stage("curate", "decontaminate", CONFIG | {"benchmarks": [benchmark]}, [("rows", uri)]).result
    dataset = read(result["uri"])
    ledger = {entry.id: entry for entry in dataset.ledger()}
    assert len({entry.rule for entry in ledger.values()}) >= 3
    for name in random.Random(9).sample(sorted(ledger), CHOSEN):
        entry, expected = ledger[name], verdict(texts[name], items)
        assert expected, name
        rule, value, threshold, number = expected
        assert (entry.rule, entry.partner) == (rule, f"gsm8k:{number}")
        assert float(entry.value) == pytest.approx(value, rel=1e-4)
        assert float(entry.threshold) == threshold
        assert words(entry.detail)
        assert entry.detail in texts[name]
        assert json.loads(entry.row)["text"] == texts[name]
    kept = [row.id for row in dataset.records(Document)]
    assert sorted([*kept, *ledger]) == sorted(texts)
    assert all(verdict(texts[name], items) is None for name in kept)
