"""chunk: where sentences and blocks end, how they are joined, and that nothing gets lost on the way."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from contract.config.chunk import ChunkConfig
from contract.records import Chunk, Document
from curate.chunk.blocks import blocks
from curate.chunk.sentences import sentences
from curate.chunk.stage import pieces
from curate_texts import document, read, write_dataset

PROSE = st.lists(st.sampled_from(["One.", "two", "e.g.", "Mr.", "Why?", "\n", "a" * 30, "Yes!", " ", "3.5"])).map(
    " ".join
)
MARKDOWN = st.lists(
    st.sampled_from(
        ["# Head", "## Sub", "para one\nline two", "- a\n- b\n\n  more", "```\ncode\n\n# no\n```", "> quote"]
    )
).map("\n\n".join)


def texts(text, spans):
    return [text[span.start : span.end] for span in spans]


def test_sentences_end_at_marks_but_not_after_abbreviations():
    text = "Use e.g. a cache. Dr. No said so! Really?  Yes.\nv2.0 is out"
    assert texts(text, sentences(text)) == ["Use e.g. a cache.", "Dr. No said so!", "Really?", "Yes.", "v2.0 is out"]


def test_joining_stops_at_the_maximum_and_a_long_sentence_stays_whole():
    text = "Aaaa bbb. " * 4 + "C" * 50 + ". Dddd. Eeee."
    config = ChunkConfig(minimum=1, maximum=20)
    assert texts(text, pieces(text, config)) == ["Aaaa bbb. Aaaa bbb."] * 2 + ["C" * 50 + ".", "Dddd. Eeee."]
    exactly = ChunkConfig(minimum=1, maximum=18)
    assert texts("Aaaa bbb. " * 2, pieces("Aaaa bbb. " * 2, exactly)) == ["Aaaa bbb."] * 2, "19 characters are too many"


def test_oversize_is_cut_where_it_hurts_least():
    config = ChunkConfig(minimum=1, maximum=20, oversize="cut")
    spaced, solid, lines = "word " * 12, "x" * 50, "first line of it\nsecond line of it"
    assert all(len(part) <= 20 and part.endswith("word") for part in texts(spaced, pieces(spaced, config)))
    assert texts(solid, pieces(solid, config)) == ["x" * 20, "x" * 20, "x" * 10]
    assert texts(lines, pieces(lines, config)) == ["first line of it", "second line of it"]


def test_markdown_blocks_are_whole_and_headings_stay_with_what_they_head():
    text = (
        "Intro.\n\n# One\n\n## Two\n\nParagraph\nof two lines.\n\n- item\n\n  its second paragraph\n- item\n\n"
        "```python\n# not a heading\n\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[ref]: https://a.example\n"
    )
    assert texts(text, blocks(text)) == [
        "Intro.",
        "# One\n\n## Two\n\nParagraph\nof two lines.",
        "- item\n\n  its second paragraph\n- item",
        "```python\n# not a heading\n\nx = 1\n```",
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n[ref]: https://a.example",
    ]


def test_markdown_starts_anew_at_a_heading_once_long_enough():
    text = "# A\n\n" + "a" * 40 + "\n\n# B\n\n" + "b" * 40
    parts = texts(text, pieces(text, ChunkConfig(strategy="markdown", minimum=30, maximum=500)))
    assert [part[:3] for part in parts] == ["# A", "# B"]
    assert len(pieces(text, ChunkConfig(strategy="markdown", minimum=60, maximum=500))) == 1


@given(
    st.one_of(PROSE, MARKDOWN, st.text()), st.sampled_from(["sentences", "markdown"]), st.sampled_from(["keep", "cut"])
)
def test_pieces_are_in_order_and_cover_all_but_white_space(text, strategy, oversize):
    spans = pieces(text, ChunkConfig(strategy=strategy, minimum=5, maximum=40, oversize=oversize))
    assert "".join("".join(part.split()) for part in texts(text, spans)) == "".join(text.split())
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    assert all(part == part.strip() and part for part in texts(text, spans))
    if oversize == "cut":
        assert all(span.length <= 40 for span in spans)


def test_the_stage_books_documents_and_pieces(run_anywhere, tmp_path):
    body = "A sentence of thirty letters. " * 5
    rows = [document(1, body, author="Ada", license="MIT"), document(2, "Short."), document(3, body + "Q" * 200 + ".")]
    uri = write_dataset(tmp_path / "in", rows, Document)
    dataset = read(run_anywhere("curate", "chunk", {"minimum": 40, "maximum": 100}, [("rows", uri)]).result["uri"])
    chunks = list(dataset.records(Chunk))
    by_id = {row.id: row.text for row in rows}
    assert all(chunk.text == by_id[chunk.document_id][chunk.start : chunk.end] for chunk in chunks)
    assert [(c.id, len(c.text)) for c in chunks] == [
        ("doc-1#0", 89), ("doc-1#1", 59), ("doc-3#0", 89), ("doc-3#1", 59), ("doc-3#2", 201),
    ]  # fmt: skip
    assert (chunks[0].author, chunks[0].license) == ("Ada", "MIT")
    documents, cut = dataset.manifest.accounts["rows"], dataset.manifest.accounts["pieces"]
    assert (documents.total, documents.kept, documents.dropped) == (3, 2, {"no_chunk": 1})
    assert (cut.total, cut.kept, cut.dropped) == (6, 5, {"too_short": 1})
    assert [(entry.account, entry.id) for entry in dataset.ledger()] == [("pieces", "doc-2#0"), ("rows", "doc-2")]
