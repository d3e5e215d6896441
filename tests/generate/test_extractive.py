"""Pairs without a model, on real READMEs: the long descriptions of the distributions installed here."""

import importlib.metadata
import re
from itertools import pairwise

import pytest

from contract.records import Chunk
from generate.instruct.by_extraction import extract
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import InProcess, Instruct, check_books


def _chunk(text: str, title: str | None = "Widget", **more) -> Chunk:
    return Chunk(id="c", document_id="d", ordinal=0, start=100, end=100 + len(text), text=text, title=title, **more)


@pytest.fixture(scope="module")
def readmes() -> list[Chunk]:
    found = []
    for distribution in importlib.metadata.distributions():
        meta = distribution.metadata
        text = str(meta.get("Description") or meta.get_payload() or "")
        found += [_chunk(text[n : n + 1_500], meta["Name"]) for n in range(0, min(len(text), 6_000), 1_500)]
    return found


def test_answers_are_passages_as_they_stand(readmes):
    assert len(readmes) > 50
    samples = 0
    for chunk in readmes:
        outcome = extract(chunk, 5, set())
        assert outcome == extract(chunk, 5, set())
        assert len({sample.instruction for sample in outcome.samples}) == len(outcome.samples) <= 5
        for sample in outcome.samples:
            samples += 1
            assert chunk.text[sample.start - 100 : sample.end - 100] == sample.answer == sample.answer.rstrip()
            assert (sample.model, sample.tags) == ("extractive", ["extractive"])
            assert len(sample.instruction) < 200
            assert "\n" not in sample.instruction
            assert not re.search(r"the (text|extract|passage|article|context)\b", sample.instruction)
        spans = sorted((sample.start, sample.end) for sample in outcome.samples)
        assert all(first[1] <= second[0] for first, second in pairwise(spans))
        assert bool(outcome.samples) == (outcome.status == "kept")
    assert samples > 1.5 * len(readmes)


MARKDOWN = """\
# Widget

[![Build](https://img.example/b.svg)](https://ci.example) ![Logo](logo.png)

Widget is a small library for drawing charts on terminals of any size. It needs nothing but Python.

## Installation

Install it from the package index with this command, in any environment:

```bash
pip install widget
```

## Features

- Bars, lines and scatter plots in 256 colours, with axes and legends
- Streams of data, drawn as they come, at sixty frames a second

The renderer keeps a back buffer of cells and writes only those that changed. That makes scrolling charts cheap.
"""


def test_markdown_becomes_questions_that_fit_it():
    pairs = {sample.instruction: sample.answer for sample in extract(_chunk(MARKDOWN), 5, set()).samples}
    assert pairs["What is Widget?"].startswith("Widget is a small library")
    assert pairs["How do I install Widget?"].endswith("pip install widget\n```")
    assert pairs["What features does Widget offer?"].startswith("- Bars, lines")
    assert any("back buffer" in answer for answer in pairs.values())
    assert not any("img.example" in answer for answer in pairs.values())


def test_flat_prose_and_other_languages_still_give_whole_sentences():
    flat = "The cache keeps answers for later use by e.g. Mr. Smith and others. " * 3 + "A fragment without an"
    for sample in extract(_chunk(flat, None), 3, set()).samples:
        assert sample.answer.endswith("others.")
    german = (
        "Der Zwischenspeicher bewahrt alle Antworten dauerhaft auf der Festplatte auf, damit nichts verloren geht. " * 2
    )
    (sample, *_) = extract(_chunk(german, "Speicher", language="de"), 1, set()).samples
    assert sample.instruction.startswith("Speicher: ")


@pytest.mark.parametrize(
    "text", ["x", "| a | b |\n|---|---|\n| 1 | 2 |", "```python\nprint(1)\n", "-----\n\n====", "a\0b"]
)
def test_where_there_is_nothing_to_say_nothing_is_made_up(text):
    outcome = extract(_chunk(text), 5, set())
    assert (outcome.status, outcome.rule) == ("dropped", "no_passage")


def test_the_stage_books_every_chunk_and_costs_nothing(tmp_path):
    chunks = [*synthetic_chunks(20, 5), _chunk("Too short.").model_copy(update={"id": "short"})]
    instruct = Instruct(InProcess(tmp_path), write_chunks(tmp_path, chunks))
    made = instruct(pairs=3)
    check_books(made, 101)
    assert made.manifest.accounts["chunks"].dropped == {"no_passage": 1}
    assert made.manifest.cost is None
    assert "requests" not in made.manifest.accounts
    assert instruct("again", shard_rows=7, pairs=3).hash == made.hash
