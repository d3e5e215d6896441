"""mix: the three layouts to samples, a stable choice, and every row of every dataset accounted for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.config.mix import MixConfig, MixSource
from contract.failures import BadInput
from contract.records import Sample
from curate.mix.layouts import LAYOUTS, Malformed
from curate.mix.stage import _usable, taken
from curate_texts import read as read_dataset
from curate_texts import sample, write_dataset


def lines(path, rows):
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return str(path)


@pytest.mark.parametrize(
    ("layout", "fields", "expected"),
    [
        ("alpaca", {"instruction": "Add", "input": "1 2", "output": "3"}, ["user: Add\n\n1 2", "assistant: 3"]),
        ("alpaca", {"instruction": "Add", "input": None, "output": "3"}, ["user: Add", "assistant: 3"]),
        (
            "sharegpt",
            {
                "system": "Be kind",
                "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}],
            },
            ["system: Be kind", "user: Hi", "assistant: Hello"],
        ),
        (
            "openai",
            {"messages": [{"role": r, "content": c} for r, c in [("user", "a"), ("assistant", "b")] * 2]},
            ["user: a", "assistant: b", "user: a", "assistant: b"],
        ),
    ],
)
def test_each_layout(layout, fields, expected):
    assert [f"{message.role}: {message.content}" for message in LAYOUTS[layout](fields)] == expected


@pytest.mark.parametrize(
    ("layout", "fields", "problem"),
    [
        ("alpaca", {"instruction": "Add"}, "`output` is a NoneType"),
        ("alpaca", {"instruction": " ", "output": "3"}, "`instruction` is empty"),
        ("alpaca", {"instruction": "x", "output": "\ud800"}, "half a UTF-16 pair"),
        ("sharegpt", {"text": "x"}, "`conversations` is not a list of turns; the row has text"),
        ("sharegpt", {"conversations": [{"from": "tool", "value": "x"}]}, "a turn is by 'tool'"),
        ("openai", {"messages": [{"role": "user", "content": "x"}]}, "turns are user; expected"),
        ("openai", {"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "`content` is a list"),
    ],
)
def test_what_is_no_conversation(layout, fields, problem):
    with pytest.raises(Malformed, match=problem):
        LAYOUTS[layout](fields)


def test_the_choice_hardly_moves_when_rows_are_added(tmp_path):
    rows = [{"instruction": f"Question {i}", "output": "Yes"} for i in range(400)]
    small = MixSource(uri=lines(tmp_path / "a.jsonl", rows[:390]), name="general")
    large = MixSource(uri=lines(tmp_path / "b.jsonl", rows[::-1]), name="general")
    before, after = (set(_usable(source, 0)[:100]) for source in (small, large))
    assert len(before - after) <= 10, "at most one sample goes for each row added"
    assert set(_usable(small, 1)[:100]) != before


@given(
    rows=st.integers(0, 10_000),
    shares=st.lists(st.floats(0.01, 0.3), min_size=1, max_size=3),
    repeat=st.integers(1, 3),
    fixed=st.integers(0, 5_000),
)
def test_shares_are_those_of_the_whole(rows, shares, repeat, fixed):
    sources = [MixSource(uri="x", name=f"s{n}", share=share, repeat=repeat) for n, share in enumerate(shares)]
    numbers = taken([*sources, MixSource(uri="x", name="all")], rows, {s.name: 10**6 for s in sources} | {"all": fixed})
    whole = rows + fixed + repeat * sum(numbers[source.name] for source in sources)
    for source, share in zip(sources, shares, strict=True):
        assert abs(repeat * numbers[source.name] - share * whole) <= 2 * repeat * len(sources)


def test_a_share_takes_no_more_than_there_is():
    share, all_of_it = MixSource(uri="x", name="a", share=0.5, take=7), MixSource(uri="x", name="b", share=0.4)
    assert taken([share, all_of_it], 100, {"a": 1_000, "b": 9}) == {"a": 7, "b": 9}
    with pytest.raises(ValidationError, match=r"the shares add up to 1\.1"):
        MixConfig(datasets=[share, all_of_it.model_copy(update={"share": 0.6})])


def test_a_dataset_of_another_layout_is_refused(tmp_path):
    source = MixSource(uri=lines(tmp_path / "a.jsonl", [{"prompt": "x"}]), name="general", format="openai")
    with pytest.raises(BadInput, match=r"a\.jsonl line 1: `messages` is not a list .* the row has prompt"):
        _usable(source, 0)


def test_the_stage_keeps_all_samples_and_books_every_row(run_stage, tmp_path):
    rows = [{"instruction": f"Question {i}", "output": "Yes"} for i in range(5)]
    alpaca = lines(tmp_path / "alpaca.jsonl", [*rows, rows[0], {"instruction": "x"}, "{broken"])
    turns = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
    sharegpt = tmp_path / "sharegpt.json"
    sharegpt.write_text(json.dumps([{"conversations": turns}]))
    config = {
        "datasets": [
            {"name": "alpaca", "uri": alpaca, "take": 3, "license": "cc-by-4.0"},
            {"name": "chats", "uri": str(sharegpt), "format": "sharegpt", "repeat": 2},
        ]
    }
    own = [sample(i, f"Own {i}", "Answer") for i in range(3)]
    result = run_stage("curate", "mix", config, [("rows", write_dataset(tmp_path / "in", own, Sample))]).result
    dataset = read_dataset(result["uri"])
    samples = list(dataset.records(Sample))
    assert samples[:3] == own
    assert [row.source for row in samples[3:]] == ["alpaca"] * 3 + ["chats"] * 2
    assert {row.license for row in samples[3:6]} == {"cc-by-4.0"}
    assert len({row.id for row in samples}) == len(samples) == 8
    assert samples[-1].kind == "mixed-in"
    account = dataset.manifest.accounts["mix alpaca"]
    assert (account.total, account.kept) == (8, 3)
    assert (account.failed, account.dropped, account.skipped) == (
        {"malformed": 2},
        {"repeated": 1},
        {"beyond_take": 2},
    )
    assert dataset.manifest.accounts["rows"].kept == 3
    assert len(list(dataset.ledger())) == 5
