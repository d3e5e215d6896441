"""Keys follow from what determines a result, and from nothing else."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.base import versioned
from contract.config.instruct import InstructConfig
from contract.keys import KEY_LENGTH, canonical_json, dataset_key, digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def reordered(value):
    """The same JSON value with every object's keys in reverse order."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(list(value))}
    return [reordered(item) for item in value] if isinstance(value, list) else value


@given(JSON)
def test_canonical_json_reads_back_as_the_same_value_and_ignores_key_order(value):
    assert json.loads(canonical_json(value)) == value
    assert canonical_json(reordered(value)) == canonical_json(value)


def test_a_value_that_is_not_json_has_no_canonical_text():
    with pytest.raises(ValueError, match="Out of range float"):
        canonical_json({"x": math.nan})


def test_a_lone_surrogate_can_be_hashed():
    assert len(digest("\ud800")) == 64


def test_every_ingredient_changes_the_key():
    base = {"stage": "clean", "version": 1, "config": {"a": 1}, "parents": {"rows": ["h1", "h2"]}}
    others = [
        {"stage": "filter"},
        {"version": 2},
        {"config": {"a": 2}},
        {"config": {}},
        {"parents": {"rows": ["h2", "h1"]}},
        {"parents": {"rows": ["h1"]}},
        {"parents": {"steps": ["h1", "h2"]}},
    ]
    keys = [dataset_key(**base), *(dataset_key(**base | other) for other in others)]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {KEY_LENGTH}


def test_fields_that_only_change_speed_stay_out_of_the_key():
    slow, quick = InstructConfig(concurrency=1, timeout=5, shard_rows=10), InstructConfig(concurrency=64)
    assert versioned(slow) == versioned(quick)
    assert versioned(InstructConfig(temperature=0.1)) != versioned(quick)
