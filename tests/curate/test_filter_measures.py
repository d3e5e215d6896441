"""The published measures, against plain readings of their definitions; the tokens they are taken from."""

import random
import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.records import Document
from curate.filter.arrays import Text, known
from curate.filter.characters import classes
from curate.filter.measures import FAMILIES, measure
from curate.filter.prose import PHRASES
from curate.filter.tokens import tokenise
from curate_texts import document, read, write_dataset


def tokens_of(text: str) -> list[str]:
    points = np.array([ord(character) for character in text], np.uint32)
    spans = np.zeros((3, len(points) + 2), np.int32)
    count = tokenise(Text(points, classes()[points]), 0, len(points), spans, known())
    return [text[start:end] for start, end in zip(*spans[:2, :count].tolist(), strict=True)]


CUT = [
    ('Don\'t e-mail "me"...', ["Do", "n't", "e", "-", "mail", '"', "me", '"', "..."]),
    ("a@b.com, http://x.org/z?q=1!", ["a@b.com", ",", "http://x.org/z?q=1", "!"]),
    ("(3.5% of 1,000)", ["(", "3.5", "%", "of", "1,000", ")"]),
    ("U.S. they're can’t it’s", ["U.S.", "they", "'re", "ca", "n’t", "it", "’s"]),
    ("10km for $5 each.", ["10", "km", "for", "$", "5", "each", "."]),
    ("Mr. Smith, e.g. in Sept. or May.", ["Mr.", "Smith", ",", "e.g.", "in", "Sept.", "or", "May", "."]),
    ("foo/bar x=1 a,b 1-2 3+4", ["foo", "/", "bar", "x=1", "a", ",", "b", "1", "-", "2", "3", "+", "4"]),
    ("cannot, gonna", ["can", "not", ",", "gon", "na"]),
    ("well—known end.Start os.path", ["well", "—", "known", "end", ".", "Start", "os.path"]),
    ("7 42, 3) 5. 12km", ["7", "42", ",", "3", ")", "5", ".", "12", "km"]),
    ("\0Mr. \0cannot", ["\0Mr", ".", "\0cannot"]),
    ("🦉🦉 «oui»", ["🦉", "🦉", "«", "oui", "»"]),
    ("  \t\n", []),
]


@pytest.mark.parametrize(("text", "tokens"), CUT, ids=[text for text, _ in CUT])
def test_text_is_cut_into_words_and_marks(text, tokens):
    assert tokens_of(text) == tokens


@given(st.text(st.sampled_from("aB1.,'’-—/:()$%@ \n\u00a0é中🦉"), max_size=40))
@example("a.-.b...")
def test_tokens_are_the_text_without_its_white_space(text):
    tokens = tokens_of(text)
    assert "".join(tokens) == "".join(text.split())
    assert all(token and token == "".join(token.split()) for token in tokens)


def repeats(parts: list[str]) -> tuple[float, int]:
    copies = [part for place, part in enumerate(parts) if part in parts[:place]]
    return len(copies) / len(parts), sum(map(len, copies))


def top(tokens: list[str], n: int) -> int:
    grams = [" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return max(((count, -grams.index(g)), len(g) * count) for g, count in Counter(grams).items())[1] if grams else 0


def seen_before(tokens: list[str], n: int) -> int:
    seen: set[str] = set()
    place = characters = 0
    while place + n <= len(tokens):
        gram = "".join(tokens[place : place + n])
        fresh = gram not in seen
        seen.add(gram)
        characters += 0 if fresh else len(gram)
        place += 1 if fresh else n
    return characters


def by_hand(text: str, tokens: list[str]) -> dict[str, float]:
    """Repetition and FineWeb's measures as datatrove defines them."""
    size = max(len(text), 1)
    lines, paragraphs = re.split("\n+", text), re.split("\n{2,}", text.strip())
    full = [line for line in text.split("\n") if line.strip()]
    found = {
        "lines": repeats(lines)[0], "line_characters": repeats(lines)[1] / size,
        "paragraphs": repeats(paragraphs)[0], "paragraph_characters": repeats(paragraphs)[1] / size,
        "ended_lines": sum(line.endswith((".", "!", "?", "。")) for line in full) / max(len(full), 1),
        "short_lines": sum(len(line) <= 30 for line in full) / max(len(full), 1),
        "repeated_characters": repeats(full)[1] / max(len(text.replace("\n", "")), 1) if full else 0,
        "line_ends": text.count("\n") / len(tokens) if tokens else 0,
    }  # fmt: skip
    found |= {f"top_{n}": top(tokens, n) / size for n in (2, 3, 4)}
    return found | {f"repeated_{n}": seen_before(tokens, n) / size for n in range(5, 11)}


def measured(texts: list[str], cut=None) -> list[dict[str, float]]:
    found = measure(pa.array(texts, pa.large_string()), FAMILIES, cut)
    return [
        {name: getattr(found, family)[row, n] for family in FAMILIES for n, name in enumerate(FAMILIES[family])}
        for row in range(len(texts))
    ]


PIECES = st.sampled_from(["ab", "cd ", "ab ", "e", "\n", "\n\n", " ", "é", "…"])


@given(st.lists(PIECES, max_size=60))
@example(list("ab ab ab ab ab ab ab ab ab ab ab ab "))
def test_measures_are_what_their_definitions_say(pieces):
    text = "".join(pieces)
    (found,) = measured([text])
    (given_tokens,) = measured([text], [text.split()])
    for name, value in by_hand(text, tokens_of(text)).items():
        assert found[name] == pytest.approx(value), name
    for name, value in by_hand(text, text.split()).items():
        assert given_tokens[name] == pytest.approx(value), name


@given(st.text(st.sampled_from("a é中🦉"), max_size=40))
def test_characters_of_any_width_are_read(text):
    (found,) = measured([text])
    parts = text.split()
    assert found["words"] == len(tokens_of(text))
    assert found["word_length"] * found["words"] == pytest.approx(sum(map(len, parts)))


def test_rows_do_not_depend_on_their_neighbours():
    choose = random.Random(0)
    texts = [" ".join(choose.choices(["one", "two.", "Three,", "…\n"], k=choose.randrange(300))) for _ in range(50)]
    assert measured(texts) == [measured([text])[0] for text in texts] == measured(texts[::-1])[::-1]


def test_words_are_counted_but_n_grams_only_in_the_opening():
    text = "a b c d e f g " * 20_000
    (found,) = measured([text])
    assert found["words"] == 140_000
    assert found["repeated_5"] == pytest.approx(5 / 10, rel=0.01)
    assert measured(["x" * 2_500_000])[0]["word_length"] == 2_000_000


QUALITY = [
    ("signs", "a #b … ...", 2 / 5),
    ("bullets", "- one\n• two\n* three\n\n", 2 / 4),
    ("ellipses", "one...\ntwo… \nthree. ..", 2 / 3),
    ("letters", "one 2 . é", 2 / 4),
    ("stop_words", "the The with OF of", 3),
    ("stop_words", "be\0 béto th to", 1),
    ("words", "one , two . 3", 3),
    ("word_length", "one , three", 4),
    ("filler", "This is Lorem Ipsum here.\nno lorem ipsum", 1),
    ("curly", "One two three {.\nOne two {", 1),
    ("sentences", 'One two three. Four! "Five?" Six [1] seven.', 4),
    ("sentences", "Use our Cookie Policy here.\nSome JavaScript code here.\nTwo words.\nOne two three...", 0),
    ("ended_lines", "one.\ntwo。\nthree,\n \nfour. ", 2 / 4),
]


@pytest.mark.parametrize("phrase", PHRASES)
def test_lines_with_phrases_of_c4_make_no_sentences(phrase):
    lines = ["One two three.", f"Read {phrase.upper()} now.", f"Read {phrase[:-1]} now.", f"{phrase.title()} it is."]
    assert measured(["\n".join(lines)])[0]["sentences"] == (4 if phrase == "lorem ipsum" else 2)


@pytest.mark.parametrize(("name", "text", "value"), QUALITY)
def test_quality_measures(name, text, value):
    assert measured([text])[0][name] == pytest.approx(value)


def test_the_ledger_is_right_when_recomputed_by_hand(run_stage, tmp_path, shared_data):
    import pyarrow.parquet as pq

    texts = pq.read_table(shared_data / "neardup" / "short_10k.parquet", columns=["text"])["text"].to_pylist()[:3000]
    uri = write_dataset(tmp_path / "in", [document(n, text) for n, text in enumerate(texts)], Document)
    config = {"length": {"maximum": 1500}, "quality": {"gopher_repetition": True, "fineweb": True}}
    dataset = read(run_stage("curate", "filter", config, [("rows", uri)]).result["uri"])
    entries = list(dataset.ledger())
    assert {f"doc-{n}" for n in range(3000)} == {row.id for row in [*entries, *dataset.records(Document)]}
    for entry in random.Random(1).sample(entries, 20):
        text = texts[int(entry.id.removeprefix("doc-"))]
        values = by_hand(text, tokens_of(text)) | {"characters": len(text)}
        broken = [rule for rule, (name, bound) in BOUNDS.items() if values[name] > bound]
        broken += ["fineweb_line_ends"] * (values["ended_lines"] < 0.12)
        name, bound = (BOUNDS | {"fineweb_line_ends": ("ended_lines", 0.12)})[entry.rule]
        assert (float(entry.value), float(entry.threshold)) == (pytest.approx(values[name], rel=1e-5), bound)
        assert {entry.rule, *entry.also} == set(broken)


TOP, REPEATED = {2: 0.20, 3: 0.18, 4: 0.16}, {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
BOUNDS = {
    "too_long": ("characters", 1500),
    "gopher_lines": ("lines", 0.3),
    "gopher_paragraphs": ("paragraphs", 0.3),
    "gopher_line_characters": ("line_characters", 0.2),
    "gopher_paragraph_characters": ("paragraph_characters", 0.2),
    **{f"gopher_top_{n}gram": (f"top_{n}", bound) for n, bound in TOP.items()},
    **{f"gopher_duplicate_{n}gram": (f"repeated_{n}", bound) for n, bound in REPEATED.items()},
    "fineweb_short_lines": ("short_lines", 0.67),
    "fineweb_repeats": ("repeated_characters", 0.01),
    "fineweb_list": ("line_ends", 0.3),
}
"""What a rule measures, and the most it allows."""
