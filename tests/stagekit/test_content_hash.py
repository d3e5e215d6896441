"""The content hash depends on the rows and their order, and on nothing about how they are spread."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.manifest import File
from stagekit.hashing import ContentHash

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("number", pa.int64()),
        ("score", pa.float64()),
        ("flag", pa.bool_()),
        ("tags", pa.list_(pa.string())),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("grid", pa.list_(pa.list_(pa.int64()))),
        ("span", pa.struct([("start", pa.int64()), ("names", pa.list_(pa.string()))])),
    ]
)
TEXT = st.none() | st.text(max_size=5)
NUMBER = st.none() | st.integers(-(2**63), 2**63 - 1)


def lists(inner):
    return st.none() | st.lists(inner, max_size=3)


ROW = st.fixed_dictionaries(
    {
        "text": TEXT,
        "number": NUMBER,
        "score": st.none() | st.floats(),
        "flag": st.none() | st.booleans(),
        "tags": lists(TEXT),
        "messages": lists(st.none() | st.fixed_dictionaries({"role": TEXT, "content": TEXT})),
        "grid": lists(lists(NUMBER)),
        "span": st.none() | st.fixed_dictionaries({"start": NUMBER, "names": lists(TEXT)}),
    }
)
ROWS = st.lists(ROW, max_size=8)


def digest(batches, schema=SCHEMA, files=()):
    content = ContentHash(schema)
    for batch in batches:
        content.update(batch)
    return content.hexdigest(list(files))


def batch_of(rows, schema=SCHEMA):
    return pa.RecordBatch.from_pylist(rows, schema=schema)


@given(ROWS, st.data())
def test_batches_and_slices_do_not_enter_the_hash(rows, data):
    whole = batch_of(rows)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    edges = list(zip([0, *cuts], [*cuts, len(rows)], strict=True))
    slices = [whole.slice(start, end - start) for start, end in edges]
    copies = [batch_of(rows[start:end]) for start, end in edges]
    assert digest(slices) == digest(copies) == digest([whole])


@given(ROWS, ROWS)
def test_other_rows_give_another_hash(rows, others):
    same = str(rows) == str(others)  # as text, since NaN does not equal itself
    assert (digest([batch_of(rows)]) == digest([batch_of(others)])) == same


AMBIGUOUS = [
    ([{"text": "ab"}, {"text": "c"}], [{"text": "a"}, {"text": "bc"}]),
    ([{"text": None}], [{"text": ""}]),
    ([{"number": None}], [{"number": 0}]),
    ([{"tags": None}], [{"tags": []}]),
    ([{"tags": [None]}], [{"tags": [""]}]),
    ([{"tags": ["a"]}, {"tags": []}], [{"tags": []}, {"tags": ["a"]}]),
    ([{"grid": [[1], []]}], [{"grid": [[], [1]]}]),
    ([{"span": None}], [{"span": {"start": None, "names": None}}]),
    ([{"messages": [None]}], [{"messages": [{"role": None, "content": None}]}]),
]


@pytest.mark.parametrize(("rows", "others"), AMBIGUOUS)
def test_values_that_look_alike_when_joined_are_told_apart(rows, others):
    assert digest([batch_of(rows)]) != digest([batch_of(others)])


def test_column_names_types_and_hashed_files_count():
    rows = batch_of([{"a": 1}], pa.schema([("a", pa.int64())]))
    renamed = batch_of([{"b": 1}], pa.schema([("b", pa.int64())]))
    retyped = batch_of([{"a": 1}], pa.schema([("a", pa.float64())]))
    model = File(path="model", bytes=1, sha256="0")
    timing = File(path="timing", bytes=1, sha256="1", hashed=False)
    plain = digest([rows], rows.schema)
    assert len({plain, digest([renamed], renamed.schema), digest([retyped], retyped.schema)}) == 3
    assert digest([rows], rows.schema, [timing]) == plain
    assert digest([rows], rows.schema, [timing, model]) == digest([rows], rows.schema, [model]) != plain
