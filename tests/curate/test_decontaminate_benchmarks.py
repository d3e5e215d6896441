"""The ready entries: what they bring, and that they fit the files that the makers publish."""

import pytest

from contract.benchmarks import catalogue
from contract.config.decontaminate import Benchmark, DecontaminateConfig
from contract.failures import BadConfig
from contract.problems import parse_config
from curate.decontaminate.benchmarks import read_items

REAL = {"humaneval": 164, "gsm8k": 1319, "mt_bench": 80, "ifeval": 541}
FILES = {"humaneval": "humaneval.jsonl.gz", "gsm8k": "gsm8k_test.jsonl"}
ANSWERED = {"humaneval", "gsm8k"}


@pytest.mark.parametrize("name", REAL)
def test_a_name_and_a_place_are_enough(shared_data, name):
    file = shared_data / "benchmarks" / FILES.get(name, f"{name}.jsonl")
    items = list(read_items(Benchmark(name=name, uri=str(file))))
    assert len(items) == REAL[name]
    assert all(item.text and item.question for item in items)
    assert all(bool(item.answer) == (name in ANSWERED) for item in items)


def test_every_entry_is_whole_and_says_where_it_is_from():
    assert len(catalogue()) >= 20
    for name, entry in catalogue().items():
        assert Benchmark(name=name, uri="x").fields == list(entry.fields)
        assert entry.title, name
        assert entry.license, name
        assert entry.hub.count("/") == 1, name


def test_what_a_recipe_says_goes_before_the_entry():
    mine = Benchmark(name="gsm8k", uri="x", fields=["problem"])
    assert (mine.fields, mine.question, mine.answer) == (["problem"], [], [])
    assert Benchmark(name="gsm8k", uri="x", answer=[]).answer == []


def test_a_name_that_nobody_knows_needs_fields():
    with pytest.raises(
        BadConfig, match=r"no `fields`, and 'gsm9k' is no ready entry; expected fields, or one of .*gsm8k"
    ):
        parse_config(DecontaminateConfig, {"benchmarks": [{"name": "gsm9k", "uri": "x"}]}, where="recipe")
    with pytest.raises(BadConfig, match="fields"):
        parse_config(DecontaminateConfig, {"benchmarks": [{"name": "gsm8k", "uri": "x", "fields": []}]}, where="recipe")
