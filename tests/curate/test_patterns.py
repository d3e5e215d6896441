"""Expressions of a recipe: what Python says they find, and an end to those that would search for ever."""

import pickle
import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.clean import CleanConfig
from contract.config.filter import FilterConfig
from contract.failures import BadConfig
from curate import patterns
from curate.clean.mappers import mappers
from curate.filter.files import Files
from curate.filter.rows import Rows
from curate.filter.rules import active_rules
from curate.patterns import Expression
from curate.private.allow import Allowed
from curate.private.spans import Span

HOSTILE = r"^(a|aa)+$"
ENDLESS = "a" * 200 + "!"
ORDINARY = [
    *CleanConfig().boilerplate,
    *(r"\bfoo\w*", r"(?im)^(?:x|y)+$", r"(?P<a>.)(?P=a)", r"(?<=a)b(?!c)", r"[^\W\d_]+\s*\Z", r"a{2,3}?", r"\u00e9|ß"),
]


@given(pattern=st.sampled_from(ORDINARY), text=st.text("abcxyfoo1é ß\n!SHARE this post", max_size=40))
def test_an_expression_finds_what_python_finds(pattern, text):
    for method in ("search", "fullmatch"):
        ours, theirs = getattr(Expression(pattern, "f"), method)(text), getattr(re.compile(pattern), method)(text)
        assert (ours and ours.span()) == (theirs and theirs.span())


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(patterns, "PATIENCE", 0.05)


def test_one_that_would_search_for_ever_ends_with_its_name(impatient):
    for method in (Expression(HOSTILE, "web.include").search, Expression(HOSTILE, "web.include").fullmatch):
        with pytest.raises(BadConfig, match="took too long on a text of 201 characters") as refused:
            method(ENDLESS)
        assert refused.value.where == "web.include"
        assert HOSTILE in refused.value.found


def test_every_expression_of_a_config_is_searched_for_a_bounded_time(impatient):
    rules = [
        active_rules(FilterConfig(format={name: HOSTILE}), Files(Path())) for name in ("must_match", "must_not_match")
    ]
    rows = Rows(pa.array([ENDLESS], pa.large_string()), [None], [""], [""], set(), None)
    cleaner = mappers(CleanConfig(boilerplate=[HOSTILE]))["boilerplate"]
    allowed = Allowed([], [HOSTILE])
    for work in (
        *(lambda rule=rule: rule.check(rows) for (rule,) in rules),
        lambda: cleaner.change(ENDLESS),
        lambda: allowed(ENDLESS, Span(0, len(ENDLESS), "email", "EMAIL")),
    ):
        with pytest.raises(BadConfig, match="took too long"):
            work()


def test_a_failure_in_a_worker_process_comes_through_whole(impatient):
    with pytest.raises(BadConfig) as refused:
        Expression(HOSTILE, "boilerplate").search(ENDLESS)
    again = pickle.loads(pickle.dumps(refused.value))
    assert (again.sentence(), again.where, again.exit_code) == (refused.value.sentence(), "boilerplate", 10)
