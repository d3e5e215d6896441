"""Phrase lists, licences, code blocks, lengths in tokens: the parts of filter that know lists of things."""

import re

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.records import Document
from curate.filter.code import GRAMMARS, check_blocks
from curate.filter.folding import FOLDED, SEVERAL, folding
from curate.filter.keywords import PhraseList, Phrases
from curate.filter.licences import licensed, spdx
from curate.filter.rows import Rows
from curate_texts import document, read, write_dataset, write_tokenizer


def first_in(phrases: list[str], texts: list[str]) -> list[str | None]:
    return PhraseList(phrases).first_in(pa.array(texts, pa.large_string()))


@given(st.lists(st.sampled_from(["ab", "cd", "ef"]), max_size=30), st.sampled_from(["ab cd", "cd ef ab", "ef"]))
def test_a_phrase_is_found_exactly_where_a_search_by_hand_finds_it(text, phrase):
    by_hand = f" {phrase} " in f" {' '.join(text)} "
    assert (first_in([phrase, "zz zz"], ["  ".join(text).upper()]) != [None]) == by_hand


LETTERS = st.text(st.sampled_from("aAbß_İıŉﬃΣς9 .+-é中🦉́"), max_size=12)


@given(st.lists(LETTERS, max_size=4), st.lists(LETTERS, min_size=1, max_size=4))
@example(["STRASSE"], ["die Straße"])
@example(["i̇b"], ["İB"])
@example(["c++", "c"], ["C++ or C"])
def test_compiled_loops_find_what_the_plain_reading_finds(phrases, texts):
    exact = Phrases(phrases)
    found = first_in(phrases, texts)
    assert [item is None for item in found] == [exact.first_in(text) is None for text in texts]


def test_folding_is_that_of_python():
    table, expansions = folding()
    for point in [*range(0x3000), *range(0xFB00, 0xFB20), 0x10400, 0x1E900]:
        entry = int(table[point])
        if entry & SEVERAL:
            points = [value & FOLDED for value in expansions[entry & FOLDED].tolist() if value]
        else:
            points = [entry & FOLDED]
        assert "".join(map(chr, points)) == chr(point).casefold()


def test_of_ten_thousand_phrases_each_is_found_and_nothing_else():
    phrases = [f"phrase number{n}" for n in range(5_000)] + [f"a longer phrase with {n} words" for n in range(5_000)]
    texts = [f"Here, a (longer) PHRASE - with {n} words!" for n in range(4_990, 5_010)] + ["phrase number", "number7"]
    assert first_in(phrases, texts) == [f"a longer phrase with {n} words" for n in range(4_990, 5_000)] + [None] * 12


def test_phrases_beyond_the_length_that_is_hashed_are_found_whole():
    long = " ".join(f"w{n}" for n in range(100))
    assert first_in([long], [f"x {long} y", long.replace("w0 ", "w1 ")]) == [long, None]


def test_phrases_come_from_a_file_of_the_store(run_stage, tmp_path):
    uri = write_dataset(tmp_path / "in", [document(1, "All is well."), document(2, "A Bad, bad thing.")], Document)
    (tmp_path / "list.txt").write_text("\nbad bad\n  another phrase \n")
    config = {"keywords": {"exclude_file": str(tmp_path / "list.txt")}}
    dataset = read(run_stage("curate", "filter", config, [("rows", uri)]).result["uri"])
    assert [(entry.id, entry.value) for entry in dataset.ledger()] == [("doc-2", "bad bad")]
    (tmp_path / "list.txt").write_text("is well")
    again = read(run_stage("curate", "filter", config, [("rows", uri)]).result["uri"])
    assert [entry.id for entry in again.ledger()] == ["doc-1"]  # another file, another key
    ended = run_stage("curate", "filter", {"keywords": {"exclude_file": "raw/none.txt"}}, [("rows", uri)])
    assert ended.exit_code == 11


SPELLINGS = [
    ("MIT", "MIT"), ("The MIT License", "MIT"), ("Apache License, Version 2.0", "Apache-2.0"),
    ("Apache Software License", None), ("BSD 3-Clause License", "BSD-3-Clause"), ("CC BY 4.0", "CC-BY-4.0"),
    ("cc-by-nc-sa-3.0", "CC-BY-NC-SA-3.0"), ("Creative Commons BY-SA 4.0 International", "CC-BY-SA-4.0"),
    ("CC0", "CC0-1.0"), ("GPLv3", "GPL-3.0-only"), ("as is", None), (None, None), ("", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "name"), SPELLINGS)
def test_licences_are_known_by_common_spellings(written, name):
    assert spdx(written) == name


FAMILIES = [
    (["CC-BY*"], ["CC-BY-4.0", "cc by-nc 4.0"], ["CC0", "MIT", None]),
    (["CC-BY-[0-9]*"], ["CC-BY-4.0"], ["CC-BY-NC-4.0"]),
    (["apache license 2.0"], ["Apache-2.0", "Apache 2.0"], ["Apache-1.1"]),
    (["unknown"], [None, "", "as is"], ["MIT"]),
    (["my own"], ["My Own"], ["yours"]),
    ([], [], ["MIT", None]),
]


@pytest.mark.parametrize(("allowed", "kept", "dropped"), FAMILIES)
def test_licence_families(allowed, kept, dropped):
    texts = pa.array(["x"] * len(kept + dropped), pa.large_string())
    verdicts = licensed(allowed)(Rows(texts, kept + dropped))
    assert verdicts.fails.tolist() == [False] * len(kept) + [True] * len(dropped)


CODE = {
    "bash": ("if true; then echo hi; fi", "if true; then"),
    "c": ("int main(void) { return 0; }", "int main( { return"),
    "cpp": ("template <class T> T f(T x) { return x; }", "class { public int"),
    "go": ("package main\nfunc main() {}", "func main( {"),
    "java": ("class A { int f() { return 1; } }", "class A { int f( { }"),
    "javascript": ("const f = (x) => ({ y: x });", "const = ;"),
    "rust": ("fn main() { let x = 1; }", "fn main( { let"),
    "typescript": ("function f(x: number): string { return `${x}`; }", "interface { x: }"),
    "tsx": ("const x = <p>{y as string}</p>;", "const x = <p>"),
    "json": ('{"a": [1]}', "{'a': 1}"),
    "python": ("async def f(): return [x for x in y]", "print 'x'"),
}


@pytest.mark.parametrize("language", sorted(CODE))
def test_code_that_parses_and_code_that_does_not(language):
    good, bad = (f"Before.\n\n```{language}\n{code}\n```\n" for code in CODE[language])
    blocks = check_blocks([good, bad])
    assert blocks.problems[0] is None
    assert blocks.problems[1].startswith(f"{language}: ")
    assert (blocks.checked, blocks.unchecked) == (2, 0)


def test_every_grammar_has_a_case_and_other_languages_are_counted_as_unchecked():
    assert set(GRAMMARS) <= set(CODE)
    blocks = check_blocks(["```haskell\nmain = (\n```\n~~~\nplain\n~~~", "no code", "````py\n```\n````"])
    assert (blocks.problems[:2], blocks.checked, blocks.unchecked) == ([None, None], 1, 2)
    assert re.match("python: ", blocks.problems[2])


def test_lengths_in_tokens_of_a_tokenizer(run_stage, tmp_path):
    uri = write_dataset(tmp_path / "in", [document(1, "one two three"), document(2, "one two")], Document)
    write_tokenizer(tmp_path / "tokenizer.json", r"\s+")
    length = {"unit": "tokens", "tokenizer": str(tmp_path / "tokenizer.json"), "minimum": 3}
    dataset = read(run_stage("curate", "filter", {"length": length}, [("rows", uri)]).result["uri"])
    assert [(entry.id, entry.value, entry.threshold) for entry in dataset.ledger()] == [("doc-2", "2", "3")]
    (tmp_path / "tokenizer.json").write_text("{}")
    assert run_stage("curate", "filter", {"length": length}, [("rows", uri)]).exit_code == 11
    assert run_stage("curate", "filter", {"length": {"unit": "tokens"}}, [("rows", uri)]).exit_code == 10
