"""clean: what compiled code passes over is what the mappers would not have changed."""

import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ftfy.badness import MOJIBAKE_CATEGORIES, is_bad
from hypothesis import example, given
from hypothesis import strategies as st

from contract.config.clean import CleanConfig
from curate.clean.literals import needed
from curate.clean.mappers import MAY_BE_MOJIBAKE, is_mojibake, mappers, whitespace

DOUBTFUL = "".join(
    chr(n) for n in range(0x80, 0x2600) if re.match(f"[{''.join(MOJIBAKE_CATEGORIES.values())}]", chr(n))
)
BESIDE = "aZ0 .\t\n"
TAGS = (
    "<",
    "</",
    ">",
    "p",
    "ſcript",
    "script",
    "K",
    "kbd",
    "st\u0131ke",
    "!--",
    "-->",
    " x=1",
    "&",
    "amp",
    ";",
    "#65;",
)
LINES = (
    "share th\u0131s ",
    "Share this ",
    "\u017fhare this",
    "post",
    "\u212aeep",
    "keep",
    "out",
    " ",
    "\n",
    "subscribe",
)


def found(screen, text):
    return pc.match_substring_regex(pa.array([text]), screen)[0].as_py()


@given(st.text(alphabet=DOUBTFUL + BESIDE + "éèÃÂ°œŒ жИ漢", max_size=60))
@example("Ã ")
@example("x " * 20 + "Ãa Â " + "y " * 20)
@example("œ-")
def test_mojibake_is_what_ftfy_says(line):
    assert is_mojibake(line) == is_bad(line)


def test_ftfy_doubts_no_other_character_that_stands_alone():
    beyond = [chr(n) for n in range(0x80, 0x1_0000) if not 0xD800 <= n < 0xE000]
    alone = "".join(c for c in beyond if not MAY_BE_MOJIBAKE.search(f" {c} "))
    for before in BESIDE:
        for after in BESIDE:
            assert not is_bad("".join(f"{before}{c}{after}" for c in alone))


@given(st.lists(st.sampled_from(TAGS), max_size=8).map("".join))
def test_the_screen_of_html_finds_every_text_that_changes(text):
    mapper = mappers(CleanConfig())["html"]
    assert found(mapper.screen, text) or mapper.change(text) == text


@pytest.mark.parametrize(
    "patterns",
    [
        CleanConfig().boilerplate,
        [r"(?i)share this (?:post|keep)"],
        [r"(?ix) k e e p [ ] out"],
        ["keep$", "share this|share that"],
        [r"\Akeep+"],
    ],
)
@given(text=st.lists(st.sampled_from(LINES), max_size=8).map("".join))
def test_the_screen_of_boilerplate_finds_every_line_that_goes(patterns, text):
    gone = any(re.search(pattern, line) for line in text.split("\n") for pattern in patterns)
    assert found(needed(patterns), text) or not gone


@pytest.mark.parametrize(
    "pattern", ["share|like", "[share this]", "(share this)?", "(?:share this)*", "é+to", "ab.cd", ""]
)
def test_a_pattern_without_characters_that_it_needs_screens_nothing(pattern):
    assert needed(["share this", pattern]) is None
    assert needed([]) is None


@given(st.text(alphabet=" \t\na\u00a0\u200b\r\x0b\u2028b", max_size=30))
def test_white_space_line_by_line_is_what_one_expression_each_would_leave(text):
    plain = re.sub("[\u00ad\u200b\u2060\ufeff]", "", text).replace("\u00a0", " ")
    plain = re.sub("\r\n|[\r\x0b\x0c\x85\u2028\u2029]", "\n", plain)
    plain = re.sub(r"(?<=\S)[ \t]{2,}(?=\S)", " ", plain)
    plain = re.sub(r"(?m)[ \t]+$", "", plain)
    assert whitespace(text) == re.sub(r"\n{3,}", "\n\n", plain).strip("\n").rstrip()
