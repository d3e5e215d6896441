"""clean: lines that recur over many documents of one source, counted exactly in bounded memory."""

from collections import Counter

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.clean import Furniture
from contract.records import Document
from curate.clean.counting import KeyCounter
from curate.clean.furniture import document_keys, least, line_key
from curate_texts import document, read, write_dataset
from every_field import run

BODY = ["stone", "river", "cloud", "grass", "flame", "metal", "paper", "glass", "water", "amber", "ivory", "cedar"]
CODE = "```\nHome | About us\n```"


def page(number: int, text: str, source: str) -> Document:
    return document(f"{source}-{number}", text, source=source)


PAGES = [
    page(n, f"Home | About us\n\n{BODY[n]} stands here alone.\n{CODE}\nPage {n} of 12\n# Introduction\n---", "site")
    for n in range(12)
] + [page(n, f"Home | About us\n{BODY[n]} {n} {BODY[n + 1]} and nothing else.", "blog") for n in range(4)]
CONFIG = {"mappers": ["furniture"], "furniture": {"documents": 5, "share": 0.5}}


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("furniture")
    rows = write_dataset(folder / "in", PAGES, Document)
    return read(run("clean", CONFIG, [f"rows={rows}"], folder).uri)


def test_recurring_lines_go_and_code_headings_and_marks_stay(cleaned):
    texts = {row.id: row.text for row in cleaned.records(Document)}
    assert texts["doc-site-3"] == f"\ngrass stands here alone.\n{CODE}\n# Introduction\n---"


def test_a_line_counts_within_its_source(cleaned):
    texts = {row.id: row.text for row in cleaned.records(Document)}
    assert texts["doc-blog-0"].startswith("Home | About us\n"), "four of the blog's documents are less than five"


def test_what_went_is_reported_with_its_documents(cleaned):
    furniture = orjson.loads(cleaned.file("cleaning.json").read_bytes())["furniture"]
    assert furniture == {
        "lines_removed": 24,
        "sources": [
            {"source": "blog", "documents": 4, "least": 5},
            {"source": "site", "documents": 12, "least": 6},
        ],
        "lines": [
            {"source": "site", "line": "Home | About us", "documents": 12},
            {"source": "site", "line": "Page 0 of 12", "documents": 12},
        ],
    }
    assert cleaned.manifest.metrics["furniture_rows"] == 12
    assert cleaned.manifest.metrics["furniture_lines"] == 24


def test_a_removed_line_is_shown_without_what_is_private_in_it(tmp_path):
    texts = [f"{word} is here\nContact: info@site.example.org" for word in BODY]
    rows = write_dataset(tmp_path / "in", [page(n, text, "site") for n, text in enumerate(texts)], Document)
    config = {"mappers": ["furniture", "personal"], "furniture": {"documents": 5}}
    dataset = read(run("clean", config, [f"rows={rows}"], tmp_path / "out").uri)
    furniture = orjson.loads(dataset.file("cleaning.json").read_bytes())["furniture"]
    assert furniture["lines"] == [{"source": "site", "line": "Contact: <EMAIL>", "documents": 12}]
    assert "info@site" not in dataset.file("cleaning.html").read_text()


def test_least_number_of_documents_is_the_greater_of_number_and_share():
    config = Furniture(documents=10, share=0.1)
    assert [least(config, documents) for documents in (5, 100, 101, 1_000)] == [10, 10, 11, 100]


def test_lines_are_compared_without_case_digits_and_punctuation():
    assert line_key("s", "Page 3 of 12") == line_key("s", "  PAGE 7 — of 45!") != line_key("t", "Page 3 of 12")
    assert [line_key("s", line) for line in ("", "---", "12 / 24", "# Page")] == [None] * 4
    assert len(document_keys("s", f"a\nb\na\n{CODE}")) == 2


@given(st.lists(st.lists(st.integers(0, 30), max_size=20), max_size=12), st.integers(1, 4), st.integers(1, 25))
def test_counts_are_exact_however_little_is_held(tmp_path_factory, batches, number, held):
    counter = KeyCounter(tmp_path_factory.mktemp("runs"), held)
    for batch in batches:
        counter.add(np.array([value << 59 | value for value in batch], np.uint64))
    keys, counts = counter.at_least(number)
    expected = Counter(value << 59 | value for batch in batches for value in batch)
    assert dict(zip(keys.tolist(), counts.tolist(), strict=True)) == {k: n for k, n in expected.items() if n >= number}


def test_result_does_not_depend_on_processes_or_shards(tmp_path):
    pages = [
        page(n, f"Home | About us\n{BODY[n % 12]} {BODY[n % 11]} {BODY[n % 5]} me{n}@x.org – “{n}”", "site")
        for n in range(2_100)
    ]
    config = CONFIG | {"mappers": ["unicode", "furniture", "secrets", "personal", "whitespace"]}
    hashes = set()
    for workers, shard_rows in ((1, 3_000), (2, 700)):
        rows = write_dataset(tmp_path / f"in-{workers}", pages, Document, shard_rows=shard_rows)
        seen = run("clean", config | {"workers": workers}, [f"rows={rows}"], tmp_path / f"out-{workers}")
        hashes.add(seen.content_hash)
    assert len(hashes) == 1
    assert "figure furniture_lines 2100" in seen.lines
