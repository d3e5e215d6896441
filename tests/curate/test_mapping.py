"""Fields of a document: paths, templates, rules for what is no text, and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.expressions import template_parts
from contract.config.ingest import IngestSource
from contract.records import Document
from curate.found import Found
from mapped import document_from


def mapped(value, **source):
    return document_from(Found("f.jsonl line 1", value), IngestSource(uri="x", **source), "src", 1_000)


def test_text_is_joined_from_nested_fields_in_the_order_given():
    value = {"content": {"intro": "A", "parts": ["B", "C"]}, "summary": "S"}
    assert mapped(value, text=["summary", "content.intro", "content.parts"], join=" | ").text == "S | A | B | C"
    assert mapped({"content": {"x": "A", "y": "B"}}, text=["content.*"], join="\n").text == "A\nB"


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ({"other": "x"}, "missing_text"),
        ({"text": None}, "missing_text"),
        ({"text": 7}, "text_not_text"),
        ({"text": ["fine", 7]}, "text_not_text"),
        ({"text": {"body": "x"}}, "text_not_text"),
        ({"text": b"x"}, "text_not_text"),
        ({"text": " \n\t\u2003"}, "blank_text"),
        ({"text": "\x00"}, "blank_text"),
        ({"text": "é" * 501}, "too_long"),
    ],
)
def test_a_record_without_usable_text_names_its_rule(value, rule):
    assert mapped(value).rule == rule


def test_an_id_is_mapped_or_follows_from_url_or_text():
    assert mapped({"id": 7, "text": "t"}, fields={"id": "id"}).id == "7"
    by_url, changed = mapped({"url": "u", "text": "t"}), mapped({"url": "u", "text": "changed"})
    assert by_url.id == changed.id != mapped({"text": "t"}).id
    assert mapped({"id": 7, "text": "t"}).id == mapped({"id": 8, "text": "t"}).id, "an unmapped `id` is no identity"


def test_what_utf8_cannot_hold_is_repaired():
    document = mapped({"text": "nul\x00 lone\ud800 pair\ud83d\ude00", "title": "\udc00"}, metadata=["title"])
    assert isinstance(document, Document)
    assert (document.text, document.title) == ("nul lone\ufffd pair😀", "\ufffd")
    assert document.metadata == {"title": "\ufffd"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{title}\n\n{body.main}", "T\n\nB"),
        ("{title}\n\n{absent}", "T"),
        ("Number {n} of {{braces}}", "Number 7 of {braces}"),
        ("{body.parts.0}-{body.parts.1}", "x-y"),
    ],
)
def test_a_template_puts_fields_into_its_text(template, text):
    value = {"title": "T", "body": {"main": "B", "parts": ["x", "y"]}, "n": 7}
    assert mapped(value, text=[template]).text == text
    assert mapped(value | {"text": "t"}, fields={"author": template}).author == text


def test_a_template_of_absent_fields_or_of_objects_is_no_text():
    assert mapped({"a": None}, text=["{a} and {b}"]).rule == "missing_text"
    assert mapped({"a": {"b": 1}}, text=["of {a}"]).rule == "text_not_text"


@pytest.mark.parametrize("template", ["{", "{a", "a}", "{}", "{ }", "{a{b}}"])
def test_a_broken_template_is_refused(template):
    with pytest.raises(ValueError, match="brace"):
        IngestSource(uri="x", text=[template])


@given(st.lists(st.tuples(st.text(), st.text(st.characters(exclude_characters="{}"), min_size=1)), max_size=4))
def test_a_template_says_what_it_was_made_of(parts):
    parts = [(literal, path.strip() or "p") for literal, path in parts]
    made = "".join(literal.replace("{", "{{").replace("}", "}}") + f"{{{path}}}" for literal, path in parts)
    assert template_parts(made) == [*parts, ("", "")]
