"""Every format: the same three articles, written in it, come out as the same documents; broken ones say what broke."""

import bz2
import csv
import gzip
import io
import json
import lzma

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.config.ingest import IngestSource
from contract.failures import BadInput
from curate.found import DAMAGE, Found, Rejected, SourceFile
from curate.readers import READERS, format_of
from mapped import document_from
from pdf_files import pdf

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


PAGES = [
    [
        "A report on gardens - draft",
        "The first paragraph of the report fills several lines of the page and so hyphen-",
        "ates a word, as typesetters do; a well-known and old habit that even a well-",
        "known reader never sees, because of us.",
        "A second paragraph starts here. It is going over the end of the page, where it",
        "1",
    ],
    ["A report on gardens - draft", "goes on in lower case.", "- item one", "- item two", "2"],
    ["A report on gardens - draft", "Third page.", "3"],
]


def test_a_pdf_is_running_text_without_page_furniture(tmp_path):
    about = {"Title": "Gardens", "Author": "Ada", "CreationDate": "D:20260102030405Z"}
    (found,) = records(tmp_path, "a.pdf", pdf(PAGES, about))
    first, second, *rest = found.value["text"].split("\n\n")
    assert first.startswith(
        "The first paragraph of the report fills several lines of the page and so hyphenates a word, "
    )
    assert first.endswith("; a well-known and old habit that even a well-known reader never sees, because of us.")
    assert second == (
        "A second paragraph starts here. It is going over the end of the page, where it goes on in lower case."
    )
    assert rest == ["- item one", "- item two", "Third page."]
    assert {name: found.value[name] for name in ("title", "author", "created_at", "pages")} == {
        "title": "Gardens",
        "author": "Ada",
        "created_at": "2026-01-02",
        "pages": 3,
    }


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (pdf([[], []]), "no_text"),
        (pdf(PAGES, locked=True), "encrypted"),
        (pdf(PAGES)[:300], "broken_record"),
        (b"", "broken_record"),
        (pdf([["x" * 90] * 60] * 4), "too_long"),
    ],
)
def test_a_pdf_without_text_to_be_had_is_rejected(tmp_path, data, rule):
    (rejected,) = records(tmp_path, "a.pdf", data)
    assert rejected.rule == rule


GERMAN = "Größe, Maß und Süßes: so schrieb man über die Straße, naiv und schön, für jeden Leser. "


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.jsonl", "a.csv", "a.json"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_is_read_where_it_is_named_or_guessed_and_never_silently(tmp_path, name, encoding):
    forms = {
        "a.html": "<p>{}</p>",
        "a.jsonl": '{{"text": "{}"}}\n',
        "a.csv": "text\n{}\n",
        "a.json": '[{{"text": "{}"}}]',
    }
    text = GERMAN.replace(",", "") if name == "a.csv" else GERMAN
    data = forms.get(name, "{}").format(text).encode(encoding)
    for chosen in (encoding, "auto"):
        (found,) = records(tmp_path, name, data, encoding=chosen)
        assert found.value["text"].strip() == text.strip()
        assert found.facts["encoding"] in ((encoding,) if chosen != "auto" else (encoding, "cp1250", "utf_16"))
    assert outcomes(tmp_path, name, data) <= {"not UTF-8", "broken_encoding", "broken_record", "utf-16"}


def outcomes(tmp_path, name, data):
    """What becomes of another encoding's bytes unasked: a failure, rules, or the encoding that a page's mark names."""
    try:
        return {getattr(r, "rule", "") or r.facts.get("encoding", "UTF-8") for r in records(tmp_path, name, data)}
    except BadInput:
        return {"not UTF-8"}


def test_one_broken_line_does_not_make_a_utf8_file_another(tmp_path):
    lines = [json.dumps({"text": f"Grüße {n}"}, ensure_ascii=False).encode() for n in range(30)]
    lines[7] = '{"text": "Grüße"}'.encode("cp1252")
    found = records(tmp_path, "a.jsonl", b"\n".join(lines) + b"\n", encoding="auto")
    assert [record.rule for record in found if isinstance(record, Rejected)] == ["broken_encoding"]
    assert found[0].value["text"] == "Grüße 0"


def test_undecodable_bytes_of_a_named_encoding_cost_one_record(tmp_path):
    found = records(tmp_path, "a.jsonl", b'{"text": "one"}\n{"text": "\x81"}\n{"text": "three"}\n', encoding="cp1252")
    assert [getattr(record, "rule", "") for record in found] == ["", "broken_encoding", ""]


@pytest.mark.parametrize(("ending", "pack"), [(".bz2", bz2.compress), (".xz", lzma.compress)])
def test_more_compressions_are_read_and_cut_off_ones_are_damaged(tmp_path, ending, pack):
    packed = pack(as_jsonl(ARTICLES))
    assert [record.value for record in records(tmp_path, f"a.jsonl{ending}", packed)] == ARTICLES
    with pytest.raises(DAMAGE):
        records(tmp_path, f"b.jsonl{ending}", packed[:-10])
