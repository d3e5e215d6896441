"""Files made to hurt: each costs a bounded amount of memory and time, and ends as a reject or as a clear failure.

Memory is counted by Python's own books, on files that are small packed and large unpacked.
"""

import gzip
import tracemalloc
import zlib
from itertools import pairwise

import pytest

from contract.failures import BadInput
from curate import intricate, readers
from curate.clean.code import outside_code
from curate.filter.code import check_blocks
from curate.found import Found, Rejected, SourceFile
from curate.ingest.files import read
from curate.intricate import intricate_page, intricate_pdf
from curate.pages import main_text
from curate.pdf import SPLIT_WORD
from curate.readers import format_of

LIMIT = 20_000
LARGE = 40 << 20
"""Bytes of an unpacked bomb: enough to show in memory, quick to make."""
MOST = 16 << 20
"""Bytes that reading one may take."""
LOL = "a: &a [lol, lol]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{name}'] * 9)}]\n" for name, after in pairwise("abcdefghij")
)
DEEP = "[" * 100_000


def pdf(drawing: bytes, packed: bytes = b"/FlateDecode", pages: int = 1) -> bytes:
    """A PDF of one drawing, its page listed a number of times."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b"3 0 R " * pages),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>",
        b"<< /Length %d /Filter %s >>\nstream\n%s\nendstream" % (len(drawing), packed, drawing),
    ]
    return (
        b"%PDF-1.4\n"
        + b"".join(b"%d 0 obj\n%s\nendobj\n" % each for each in enumerate(objects, 1))
        + (b"trailer << /Size 5 /Root 1 0 R >>\n%%EOF\n")
    )


def records(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    limit = 1 << 20 if name.endswith(".pdf") else LIMIT
    return list(read(SourceFile(path, name, limit), format_of(name)))


REJECTED = [
    ("a line of megabytes", "a.jsonl.gz", gzip.compress(b'{"text": "' + b"a" * LARGE + b'"}\n'), "too_long"),
    ("a text of megabytes", "a.txt.gz", gzip.compress(b"a" * LARGE), "too_long"),
    ("a page of megabytes", "a.html.gz", gzip.compress(b"<p>" * (LARGE // 3)), "too_long"),
    ("JSON nested deep", "a.jsonl", f'{{"text": {DEEP}}}\n'.encode()[:LIMIT], "broken_record"),
    ("aliases of aliases", "a.md", f"---\n{LOL}title: *j\n---\nbody\n".encode(), "broken_record"),
    ("a value inside itself", "a.md", b"---\ntitle: &a [*a]\n---\nbody\n", "broken_record"),
    ("a page nested deep", "a.html", b"<div>" * 3_000 + b"hello", "too_intricate"),
    ("a page of tables in tables", "a.html", b"<table>" * 1_200 + b"<b>" * 900, "too_intricate"),
    ("a tag of attributes", "a.html", b"<p " + b"a=1 " * 4_000 + b">", "too_intricate"),
    ("a PDF of blanks", "a.pdf", pdf(zlib.compress(b" " * LARGE)), "too_intricate"),
    ("a PDF packed twice", "a.pdf", pdf(b"", b"[/FlateDecode /FlateDecode]"), "too_intricate"),
    ("a PDF of a page shown again", "a.pdf", pdf(zlib.compress(b" "), pages=20_001), "too_intricate"),
    ("front matter nested deep", "a.md", b"---\ntitle: " + b"{a: " * 2_000 + b"\n---\nbody\n", "broken_record"),
]


@pytest.mark.parametrize(("name", "data", "rule"), [case[1:] for case in REJECTED], ids=[case[0] for case in REJECTED])
def test_a_hostile_record_is_rejected_in_bounded_memory(tmp_path, name, data, rule):
    tracemalloc.start()
    try:
        (found,) = records(tmp_path, name, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(found, Rejected)
    assert found.rule == rule
    assert peak < MOST


REFUSED = [
    ("a JSON of megabytes", "a.json.gz", gzip.compress(b'[{"text": "' + b"a" * LARGE + b'"}]'), "over 8 MB"),
    ("JSON nested deep", "a.json", DEEP.encode(), "not JSON"),
    ("one line of a table", "a.csv.gz", gzip.compress(b"text\n" + b"a," * (LARGE // 2)), "row of over 20,000"),
    ("a quotation never closed", "a.csv.gz", gzip.compress(b'text\n"' + b"a,\n" * (LARGE // 3)), "20,000|20000"),
    ("columns named alike", "a.csv", b",".join([b"c"] * 9_000) + b"\n", "columns named twice: c"),
]


@pytest.mark.parametrize(("name", "data", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_hostile_file_is_refused_in_bounded_memory(tmp_path, monkeypatch, name, data, said):
    monkeypatch.setattr(readers, "LARGEST_JSON", 8 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(BadInput, match=said):
            records(tmp_path, name, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST + (8 << 20)


def test_a_hundred_thousand_columns_are_a_row_like_any_other(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"text,{','.join(f'c{number}' for number in range(100_000))}\n{',' * 100_000}\n")
    (found,) = read(SourceFile(path, "a.csv", 10 << 20), "csv")  # comparing each name with each took minutes
    assert isinstance(found, Found)


def test_rows_of_a_table_count_anew(tmp_path):
    rows = b"text,more\n" + b"".join(b"%0900d,x\n" % number for number in range(100))
    assert len(records(tmp_path, "a.csv", rows)) == 100


ORDINARY = {
    "a long list": "<ul>" + "<li>an item" * 30_000 + "</ul>",
    "paragraphs that nobody closed": "<p>some text" * 30_000,
    "closed elements": "<div><b>x</b></div>" * 30_000,
    "an attribute of many words": f"<div data-all='{'a=1 ' * 30_000}'>text</div>" + "<br>" * 3_000,
}


@pytest.mark.parametrize("html", ORDINARY.values(), ids=ORDINARY)
def test_a_long_page_is_no_hostile_one(html):
    assert intricate_page(html) == ""


def test_a_page_of_too_many_tags_is_read_whole(monkeypatch):
    monkeypatch.setattr(intricate, "MOST_TAGS", 10)
    page = "<html><body><nav>Home</nav><main>" + "<p>All that the page says is read.</p>" * 6 + "</main></body></html>"
    assert "Home" in main_text(page)


def test_pictures_of_a_pdf_do_not_count():
    picture = pdf(zlib.compress(b" " * LARGE)).replace(b"<< /Length", b"<< /Subtype /Image /Length")
    assert intricate_pdf(picture) == ""
    assert intricate_pdf(b"stream\nFlateDecode stream\n\x00 nothing packed") == ""


LINE_OF_MARKS = [mark * 200_000 for mark in "~`-_=*#>|1a ."]


@pytest.mark.parametrize("line", LINE_OF_MARKS, ids=lambda line: line[0])
def test_a_line_of_one_character_is_read_like_any_other(line):
    """Each took from minutes to days where repeats try again what others took."""
    for text in (line, f"{line}\nx", f"```\n{line}\n```", f"~~~\n{line}"):
        assert sum(check_blocks([text])[1:]) <= 1
        assert outside_code(text, lambda part: part) == text
    assert SPLIT_WORD.search(line) is None
