"""From a model's answer to pairs: what is sound, what is wrong, and which pairs may be learnt from."""

import json

import pytest

from contract.failures import BadConfig
from contract.records import Chunk
from generate.instruct.checks import fault, normal
from generate.instruct.pairs import Pair, read_answer
from generate.instruct.prompt import FOLDER, load_prompt
from generate.llm.answer import Answer, read_completion

TWO = {"pairs": [{"instruction": "Why?", "answer": "So."}, {"instruction": "How?", "answer": "Thus."}]}
PINNED = {"backtranslate-1": "0ceefff51f6f854bbdaf2c5b0a2532f683a516f8d9ce998d8872401762da5e82"}
"""A published prompt never changes: datasets made with it keep their key. Copy it to the next number instead."""


@pytest.mark.parametrize(
    ("text", "finish", "wanted", "pairs", "problem"),
    [
        (json.dumps(TWO), "stop", 2, 2, None),
        (json.dumps(TWO), "stop", 1, 2, None),
        (json.dumps(TWO), "stop", 3, 2, "3 pairs were asked for and 2 came"),
        (json.dumps(TWO["pairs"]), "stop", 2, 2, None),
        (json.dumps(TWO["pairs"][0]), "stop", 1, 1, None),
        ('{"pairs": [{"instruction": "Why?", "answer": "So."}, {"instruction": 3}]}', "stop", 2, 1, "pair 2"),
        ('{"pairs": [{"instruction": "Why?", "answer": "\\ud800"}]}', "stop", 1, 0, "pair 1: answer"),
        (json.dumps(TWO)[:-20], "length", 2, 1, "cut off at the length limit"),
        (json.dumps(TWO)[:-20], "stop", 2, 1, "not valid JSON"),
        ('{"items": []}', "stop", 2, 0, 'no list "pairs"'),
        ('{"items": [{"instruction": "Why?", "answer": "So."}]}', "stop", 1, 1, 'no list "pairs"'),
        ("Nice text!", "stop", 2, 0, "not valid JSON"),
        ("", "stop", 2, 0, "not valid JSON"),
    ],
)
def test_what_is_sound_is_kept_and_what_is_wrong_is_said(text, finish, wanted, pairs, problem):
    reading = read_answer(Answer(text=text, finish_reason=finish), wanted)
    assert len(reading.pairs) == pairs
    assert (reading.problem is None) if problem is None else (problem in reading.problem)
    assert reading.refusal is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(text="", refusal="No."),
        Answer(text="", finish_reason="content_filter"),
        Answer(text="I'm sorry, but I can't help with that."),
    ],
)
def test_a_refusal_is_told_from_a_bad_answer(answer):
    assert read_answer(answer, 2).refusal


@pytest.mark.parametrize(
    ("instruction", "answer", "rule"),
    [
        ("How do caches work?", "They keep answers.", None),
        ("  ", "They keep answers.", "empty"),
        ("How do caches work?", " ... ", "empty"),
        ("How do caches work?", "I'm sorry, but I can't say.", "refusal"),
        ("Caches work.", "caches work!", "copied_instruction"),
        ("HOW do ledgers work", "They list.", "duplicate"),
        ("Give an instruction-answer pair about caches", "They keep.", "copied_prompt"),
        ("What does the text say about caches?", "They keep.", "mentions_context"),
        ("According to the given article, what is a cache?", "It keeps.", "mentions_context"),
        ("What follows from the passage above?", "It keeps.", "mentions_context"),
        ("Summarise the provided context", "It keeps.", "mentions_context"),
        ("Explain article 5 of the treaty", "It is short.", None),
        ("Describe the passage of time", "It passes.", None),
        ("What was the context of the French Revolution?", "Bread.", None),
    ],
)
def test_only_pairs_that_stand_alone_are_kept(instruction, answer, rule):
    prompt = load_prompt("backtranslate-1")
    found = fault(Pair(instruction=instruction, answer=answer), {normal("How do ledgers work?")}, prompt)
    assert (found and found[0]) == rule


def test_a_published_prompt_is_never_edited():
    assert {path.stem: load_prompt(path.stem).hash for path in FOLDER.glob("*.yaml")} == PINNED


def test_the_prompt_holds_text_title_and_number():
    chunk = Chunk(id="c", document_id="d", ordinal=0, start=0, end=9, text="Some {{ text }}", title="A title")
    system, user = load_prompt("backtranslate-1").open(chunk, 3)
    assert (system.role, user.role) == ("system", "user")
    assert all(part in user.content for part in ("Some {{ text }}", '"A title"', "3 pairs"))
    untitled = load_prompt("backtranslate-1").open(chunk.model_copy(update={"title": None}), 1)[1].content
    assert "None" not in untitled
    assert "1 pair," in untitled


def test_an_unknown_prompt_names_the_ones_there_are():
    with pytest.raises(BadConfig, match="backtranslate-1"):
        load_prompt("../stage")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"choices": []}', b'{"choices": [{"message": {"content"'])
def test_what_is_no_completion_is_an_error(body):
    with pytest.raises(ValueError, match=r"\w"):
        read_completion(body)


def test_a_completion_may_lack_what_only_some_servers_say():
    answer = read_completion(b'{"choices": [{"message": {"role": "assistant", "content": null}}]}')
    assert (answer.text, answer.metered) == ("", False)
