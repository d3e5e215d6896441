"""decontaminate, rephrased items: candidates as a plain reading finds them; the second look judged on a gold set."""

import gzip
import json
import math
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.config.decontaminate import DecontaminateConfig, Rephrased
from contract.failures import BadConfig
from contract.problems import parse_config
from contract.records import Document
from curate.decontaminate.benchmarks import Item
from curate.decontaminate.matching import Matcher
from curate.decontaminate.rephrased.look import MEASURES, SecondLook, learned
from curate.decontaminate.rephrased.retrieve import MOST_HOLDERS, Retriever
from curate.decontaminate.rephrased.rule import RephrasedItems
from curate.decontaminate.rephrased.traits import TRAITS, bags, stem
from curate.shingles import words
from curate_texts import document, read, write_dataset

TEXTS = st.lists(st.sampled_from("abcdef"), max_size=9).map(" ".join)
TASK = "Write a function that returns the largest prime below a given limit, as in largest_prime(30) == 29."
REWORDED = "Given a limit, write code which returns the prime that is largest below it: biggest_prime(50) == 47."


def pairs(text: str) -> list[frozenset[str]]:
    found = re.findall(r"\w+", text.lower())
    return [frozenset((found[i], found[k])) for i in range(len(found)) for k in range(max(0, i - 4), i)]


def cosines(items: list[str], row: str) -> list[float]:
    """Cosine of a row with each item, by pairs of near words that few items hold."""
    sets = [set(pairs(item)) for item in items]
    holders = {pair: sum(pair in some for some in sets) for some in sets for pair in some}
    idf = {pair: math.log((len(items) + 1) / (count + 0.5)) for pair, count in holders.items()}
    unknown = math.log((len(items) + 1) / 0.5)
    of_row = pairs(row)
    square = sum(idf[pair] ** 2 for pair in set(of_row) & idf.keys())
    square += sum(unknown**2 for pair in of_row if pair not in idf)
    found = []
    for some in sets:
        length = math.sqrt(sum(idf[pair] ** 2 for pair in some))
        common = sum(idf[pair] ** 2 for pair in some & set(of_row))
        found.append(common / (length * math.sqrt(square)) if common else 0.0)
    return found


@settings(max_examples=60)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.lists(TEXTS, min_size=1, max_size=6), st.integers(1, 4))
def test_candidates_are_the_items_of_highest_cosine(items, rows, k):
    assert len(items) <= MOST_HOLDERS
    found = Retriever(words(items), k).candidates(words(rows))
    for row, places, near in zip(rows, found.items.tolist(), found.cosines.tolist(), strict=True):
        expected = cosines(items, row)
        best = sorted((value for value in expected if value > 0), reverse=True)[:k]
        assert near[: len(best)] == pytest.approx(best)
        assert [expected[place] for place in places[: len(best)]] == pytest.approx(best)
        assert places[len(best) :] == [-1] * (k - len(best))


def test_traits_see_through_names_numbers_and_endings():
    before, after = bags(TASK), bags(REWORDED)
    common = {trait: a & b for trait, a, b in zip(TRAITS, before, after, strict=True)}
    assert common["names"] == {"prime": 1}
    assert common["shapes"] == {"(n)": 1}
    assert not common["numbers"]
    assert stem("sorted") == stem("sorts") == stem("sort")
    assert bags("for x in items:\n    total += x")[-1] == bags("for entry in rows:\n    s += entry")[-1]


@given(st.text(max_size=60), st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_measures_are_shares(row, items):
    measures = SecondLook(items).measures(row, range(len(items)))
    assert measures.shape == (len(items), len(TRAITS) * len(MEASURES))
    assert np.all((measures >= 0) & (measures <= 1 + 1e-9))


@given(st.text("abc def(1,2)[]\n", max_size=60), st.lists(st.text("abc def(1,2)[]\n", max_size=60), max_size=3))
def test_an_item_agrees_with_itself_in_all_that_it_has(text, others):
    measures = SecondLook([text, *others]).measures(text, [0])[0].reshape(len(TRAITS), len(MEASURES))
    for bag, values in zip(bags(text), measures.tolist(), strict=True):
        assert values == pytest.approx([1, 1, 1] if bag else [0, 0, 0])


def test_the_published_weights_are_whole():
    model = learned()
    assert len(model.mean) == len(model.scale) == len(model.weight) == len(TRAITS) * len(MEASURES)
    assert np.all(model.scale > 0)


def test_a_verdict_depends_on_no_other_row():
    rule = RephrasedItems([TASK, "Name the capital of a country"], Rephrased(check=1e-9))
    rows = [REWORDED, "Something else entirely", TASK, ""]
    alone = [rule.found(pa.array([row]), words([row])) for row in rows]
    together = rule.found(pa.array(rows), words(rows))
    assert [(found.item, found.score) for found in together] == [(f.item, f.score) for some in alone for f in some]
    assert rule.found(pa.array([], pa.string()), words([])) == []


def gold(shared_data) -> tuple[list[Item], list[str]]:
    with gzip.open(shared_data / "benchmarks" / "humaneval.jsonl.gz", "rt") as lines:
        items = [Item("humaneval", i, json.loads(line)["prompt"]) for i, line in enumerate(lines, 1)]
    with open(shared_data / "gold" / "humaneval_rephrased.jsonl") as lines:
        return items, [json.loads(line)["text"] for line in lines]


def test_rephrased_items_of_the_gold_set(shared_data):
    """What n-grams do not find: at the default threshold 129 of the 147 that are not empty, 1 % of other code rows."""
    items, rephrased = gold(shared_data)
    table = pq.read_table(shared_data / "neardup" / "short.parquet", columns=["text", "source", "kind"])
    rows = [r["text"] for r in table.to_pylist() if r["source"] == "sahil280114/codealpaca" and r["kind"] == "base"]
    by_words = Matcher(items, DecontaminateConfig()).matches(pa.array(rephrased))
    assert len(by_words.held) <= 1
    matcher = Matcher(items, DecontaminateConfig(rephrased=Rephrased()))
    found = {row for row, matches in matcher.matches(pa.array(rephrased)).held.items() if row == matches[0].item}
    assert len(found) >= 125
    other = rows[::5]
    assert len(matcher.matches(pa.array(other)).held) <= 0.015 * len(other)


def test_pairs_that_are_not_sure_are_written_to_be_checked(run_stage, shared_data, tmp_path):
    items, rephrased = gold(shared_data)
    rows = [document(i, text) for i, text in enumerate(rephrased) if text.strip()]
    uri = write_dataset(tmp_path / "in", rows, Document)
    benchmark = {"name": "humaneval", "uri": str(shared_data / "benchmarks" / "humaneval.jsonl.gz")}
    config = {"benchmarks": [benchmark], "rephrased": {"check": 0.3}}
    result = run_stage("curate", "decontaminate", config, [("rows", uri)]).result
    dataset = read(result["uri"])
    lines = [json.loads(line) for line in dataset.file("decontamination/to_check.jsonl").read_text().splitlines()]
    kept = {row.id: row.text for row in dataset.records(Document)}
    assert result["metrics"]["rows_to_check"] == len(lines) > 5
    for line in lines:
        assert 0.3 <= line["score"] < 0.9
        assert kept[line["row"]] == line["row_text"]
        assert items[line["item"] - 1].text == line["item_text"]
    ledger = [entry for entry in dataset.ledger() if entry.rule == "rephrased"]
    assert len(ledger) >= 120
    assert all(entry.threshold == "0.9" and float(entry.value) >= 0.9 for entry in ledger)
    own = sum(entry.partner == f"humaneval:{int(entry.id.removeprefix('doc-')) + 1}" for entry in ledger)
    assert own >= len(ledger) - 3


def test_rows_that_go_by_their_origin_are_not_to_be_checked(run_stage, shared_data, tmp_path):
    _, rephrased = gold(shared_data)
    rows = [document(i, text, source="gold") for i, text in enumerate(rephrased[:40]) if text.strip()]
    uri = write_dataset(tmp_path / "in", [*rows, document(999, "A loaf of bread needs an hour.")], Document)
    benchmark = {"name": "humaneval", "uri": str(shared_data / "benchmarks" / "humaneval.jsonl.gz")}
    config = {"benchmarks": [benchmark], "rephrased": {"threshold": 1, "check": 0.3}}
    found = {}
    for listed in ("gold", "another"):
        result = run_stage(
            "curate", "decontaminate", config | {"origins": {"sources": [listed]}}, [("rows", uri)]
        ).result
        found[listed] = result["rows"], result["metrics"]["rows_to_check"]
    assert found["gold"] == (1, 0)
    assert found["another"][1] > 20


def test_what_is_checked_is_less_sure_than_what_goes():
    with pytest.raises(BadConfig, match=r"check is 0.95; expected less than threshold, 0.9"):
        parse_config(DecontaminateConfig, {"rephrased": {"check": 0.95}}, where="recipe")
