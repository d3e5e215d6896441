"""Every format: the same three articles, written in it, come out as the same documents; broken ones say what broke."""

import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.config.ingest import IngestSource
from contract.failures import BadInput
from contract.records import Document
from curate.found import Found, Rejected, SourceFile
from curate.ingest.mapping import COLUMNS, Mapper
from curate.readers import READERS, format_of

ARTICLES = [
    {"title": "Ünïcode", "text": "First article.\nTwo lines."},
    {"title": "مقال", "text": "נייר and 🦉 in one text."},
    {"title": "Plain", "text": 'Quotes " and, commas.'},
]


def as_csv(rows, delimiter=","):
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, ["title", "text"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def as_parquet(rows):
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def as_jsonl(rows):
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode() + b"\n\n"


MANY = {
    "a.json": json.dumps(ARTICLES).encode(),
    "a.jsonl": as_jsonl(ARTICLES),
    "a.jsonl.gz": gzip.compress(as_jsonl(ARTICLES[:1])) + gzip.compress(as_jsonl(ARTICLES[1:])),
    "a.ndjson.zst": pa.compress(as_jsonl(ARTICLES), codec="zstd", asbytes=True),
    "a.csv": b"\xef\xbb\xbf" + as_csv(ARTICLES),
    "a.tsv": as_csv(ARTICLES, "\t"),
    "a.parquet": as_parquet(ARTICLES),
}


def records(tmp_path, name, data, limit=10_000, records_at="", **more):
    path = tmp_path / name
    path.write_bytes(data)
    return list(READERS[format_of(name)](SourceFile(path, name, limit, records_at, **more)))


def document_from(found, source, name="src", limit=1_000):
    """What the source's mapping makes of a record, as a document."""
    mapped = Mapper(source, name, limit)(found)
    if isinstance(mapped, Rejected):
        return mapped
    values = dict(zip(COLUMNS, mapped.values, strict=True))
    return Document.model_validate(values | {"metadata": json.loads(values["metadata"])})


@pytest.mark.parametrize("name", MANY)
def test_formats_of_many_records_agree(tmp_path, name):
    found = records(tmp_path, name, MANY[name])
    assert [record.value for record in found] == ARTICLES
    assert all(record.place.startswith(name) for record in found)


def test_json_reads_a_list_under_a_key_or_one_object(tmp_path):
    nested = json.dumps({"batch": {"items": ARTICLES}, "count": 3}).encode()
    assert [r.value for r in records(tmp_path, "a.json", nested, records_at="batch.items")] == ARTICLES
    assert [r.value for r in records(tmp_path, "b.json", json.dumps(ARTICLES[0]).encode())] == ARTICLES[:1]
    with pytest.raises(BadInput, match=r"no list at 'articles'; there is batch, count"):
        records(tmp_path, "a.json", nested, records_at="articles")


def test_markdown_front_matter_becomes_fields(tmp_path):
    text = "---\ntitle: From the front\nauthor: Ada\ndate: 2026-01-02\ntags: [a, b]\n---\n# Heading\n\nBody.\n"
    (found,) = records(tmp_path, "page.md", text.encode())
    source = IngestSource(
        uri="x", fields={"created_at": "date"}, metadata=["tags", "nothing"], constants={"license": "MIT"}
    )
    document = document_from(found, source, "notes", 10_000)
    assert (document.title, document.author, document.created_at) == ("From the front", "Ada", "2026-01-02")
    assert document.text == "# Heading\n\nBody.\n"
    assert (document.license, document.metadata) == ("MIT", {"tags": '["a", "b"]'})
    (untitled,) = records(tmp_path, "page.md", b"# Heading\n\n---\nBody, no front matter.")
    assert untitled.value["title"] == "Heading"


def test_html_keeps_what_a_reader_sees(tmp_path):
    page = """<!doctype html><html lang="en"><head><title>Tab &amp; title</title><meta name="author" content="Ada">
    <link rel="canonical" href="https://a.example/1"><style>p {color: red}</style></head>
    <body><script>track()</script><h1>Head</h1><p>One <b>bold</b>
    line<br>and another</p><ul><li>first<li>second</ul><pre>def f():\n    return 1</pre></body></html>"""
    (found,) = records(tmp_path, "page.html", page.encode())
    assert found.value["text"] == "Head\n\nOne bold line\nand another\n\nfirst\nsecond\n\ndef f():\n    return 1"
    about = {name: found.value[name] for name in ("title", "author", "url", "language")}
    assert about == {"title": "Tab & title", "author": "Ada", "url": "https://a.example/1", "language": "en"}


BROKEN_LINES = b"\n".join(
    [
        b'{"text": "good"}',
        b'{"text": "cut off',
        b'{"text": "\xff"}',
        b"[1]",
        b"x" * 200,
        b'{"text": "' + b"[" * 60 + b'"}',
    ]
)
REJECTED = [
    ("a.jsonl", BROKEN_LINES, [(2, "broken_record"), (3, "broken_encoding"), (4, "broken_record"), (5, "too_long")]),
    ("a.csv", b"text,b\ngood,1\nonly one\n\xff,2\nfine,3\n", [(3, "broken_record"), (4, "broken_encoding")]),
    ("a.txt", b"\xff\xfeU", [(None, "broken_encoding")]),
    ("a.md", b"---\na: [\n---\ntext", [(None, "broken_record")]),
    ("a.json", b'{"text": "one object, cut', [(None, "broken_record")]),
    ("a.html", b"<p>" + b"x" * 200, [(None, "too_long")]),
    ("a.json", b'["text", {"text": "good"}]', [(1, "broken_record")]),
]


@pytest.mark.parametrize(
    ("name", "data", "expected"), REJECTED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_broken_part_is_rejected_with_its_place_and_the_rest_is_read(tmp_path, name, data, expected):
    found = records(tmp_path, name, data, limit=100)
    rejected = [record for record in found if isinstance(record, Rejected)]
    places = [
        name if number is None else f"{name} {'record' if name[2:] == 'json' else 'line'} {number}"
        for number, _ in expected
    ]
    assert [(record.place, record.rule) for record in rejected] == list(
        zip(places, [r for _, r in expected], strict=True)
    )
    assert all(record.row for record in rejected), "the ledger keeps what was there"
    assert all(isinstance(record, Found) for record in found if record not in rejected)


def test_a_parquet_row_that_is_not_utf8_is_rejected_alone(tmp_path):
    column = pa.Array.from_buffers(pa.string(), 3, pa.array([b"good", b"\xff\xfe", b"fine"]).buffers())
    file = io.BytesIO()
    pq.write_table(pa.table({"text": column}), file)
    found = records(tmp_path, "a.parquet", file.getvalue())
    assert [type(record) for record in found] == [Found, Rejected, Found]
    assert found[1].place == "a.parquet row 2"


DAMAGED = {
    "cut.parquet": as_parquet(ARTICLES)[:-20],
    "junk.parquet": b"junk",
    "cut.json": json.dumps(ARTICLES).encode()[:-20],
    "deep.json": b"[" * 200_000,
    "open_quote.csv": b'text\n"never closed\nand on\n',
    "doubled.csv": b"text,text\n1,2\n",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_of_many_records_that_cannot_be_read_whole_is_a_failure(tmp_path, name):
    with pytest.raises(BadInput, match=name):
        records(tmp_path, name, DAMAGED[name])


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
