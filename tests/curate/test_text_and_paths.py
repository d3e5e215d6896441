"""Which text of a row is looked at, and how nested values are reached."""

import pytest

from contract.failures import BadConfig
from contract.records import Document, Message, Sample
from curate.paths import dotted
from curate.text import rows_text
from stagekit.schema import to_batch

RECORD = {
    "title": "T",
    "content": {"intro": "I", "body": ["B1", "B2"]},
    "choices": [{"text": "C1"}, {"other": 0}, {"text": "C2"}],
    "a.b": "dots",
    "empty": None,
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("title", "T"),
        ("content.intro", "I"),
        ("content.body", ["B1", "B2"]),
        ("content.body.1", "B2"),
        ("content.body.2", None),
        ("content.*", ["I", ["B1", "B2"]]),
        ("choices.text", ["C1", "C2"]),
        ("choices.nothing", None),
        ("a.b", "dots"),
        ("title.deeper", None),
        ("empty.deeper", None),
    ],
)
def test_a_dotted_path_reaches_into_objects_and_lists(path, expected):
    assert dotted(RECORD, path) == expected


def test_each_field_reads_the_same_text_as_the_record_does():
    turns = [("system", "S"), ("user", "U1"), ("assistant", "A1"), ("user", "U2"), ("assistant", "A2")]
    sample = Sample(id="1", messages=[Message(role=role, content=content) for role, content in turns])
    lonely = Sample(id="2", messages=[Message(role="system", content="S")])
    batch = to_batch([sample, lonely], Sample)
    assert rows_text(batch, "instruction") == [sample.instruction, lonely.instruction] == ["U1", ""]
    assert rows_text(batch, "answer") == [sample.answer, lonely.answer] == ["A2", ""]
    assert rows_text(batch, "conversation") == ["S\n\nU1\n\nA1\n\nU2\n\nA2", "S"]


def test_a_field_that_the_rows_lack_is_named():
    documents = to_batch([Document(id="1", text="hello")], Document)
    assert rows_text(documents, "text") == ["hello"]
    with pytest.raises(BadConfig, match=r"'answer'.*expected text"):
        rows_text(documents, "answer")
