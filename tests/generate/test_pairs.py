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
PINNED = {
    "backtranslate-1": "0ceefff51f6f854bbdaf2c5b0a2532f683a516f8d9ce998d8872401762da5e82",
    "backtranslate-2.pl": "aa24a90e5a3f24739165eaa2062ed3b47d6e8e1c30202b25d9d89da39100ef19",
    "backtranslate-2": "75b03f0db65195007678bf962dc32bbad7f203ce935bdeebda4f9df928271a09",
    "rephrase-1.pl": "85131c6182b2905be7accea5027e4577180bef9da8ccabc58ad4c085dc9bb3f8",
    "rephrase-1": "8435823c494cbbccccbd3be221bfcded28e025e216a2cb3583707194a997550e",
    "self_instruct-1.pl": "d564d8fa3ea0678f3a650c79ed4c9e20c0d9a06c822f2ff9be0588f4b2ba9ed7",
    "self_instruct-1": "47c39cbecebe9f637d080c5a90711cbe16b331eb6bed1161229bf5093dc8b874",
    "style-1.pl": "bc1569971cef419690721cf32bf2179dfc57c799c69a915567075bd1b5d33353",
    "style-1": "9221f803ddaaac1b9971329cd4eed2b5ae833551df17742c8c0cfe18bbd67611",
}
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
    prompt = load_prompt("backtranslate-1", "backtranslate")
    found = fault(Pair(instruction=instruction, answer=answer), {normal("How do ledgers work?")}, prompt)
    assert (found and found[0]) == rule


def test_a_published_prompt_is_never_edited():
    names = [path.stem for path in FOLDER.glob("*.yaml")]
    assert {name: load_prompt(name, name.rpartition("-")[0]).hash for name in names} == PINNED


def test_the_prompt_holds_text_title_and_number():
    chunk = Chunk(id="c", document_id="d", ordinal=0, start=0, end=9, text="Some {{ text }}", title="A title")
    system, user = load_prompt("backtranslate-1", "backtranslate").open(chunk, 3)
    assert (system.role, user.role) == ("system", "user")
    assert all(part in user.content for part in ("Some {{ text }}", '"A title"', "3 pairs"))
    untitled = (
        load_prompt("backtranslate-1", "backtranslate").open(chunk.model_copy(update={"title": None}), 1)[1].content
    )
    assert "None" not in untitled
    assert "1 pair," in untitled


def test_an_unknown_prompt_names_the_ones_there_are():
    with pytest.raises(BadConfig, match="backtranslate-1"):
        load_prompt("../stage", "backtranslate")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"choices": []}', b'{"choices": [{"message": {"content"'])
def test_what_is_no_completion_is_an_error(body):
    with pytest.raises(ValueError, match=r"\w"):
        read_completion(body)


def test_a_completion_may_lack_what_only_some_servers_say():
    answer = read_completion(b'{"choices": [{"message": {"role": "assistant", "content": null}}]}')
    assert (answer.text, answer.metered) == ("", False)
