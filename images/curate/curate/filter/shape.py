"""Length and format of a text."""

import ast
import json
import re
import warnings

from curate.filter.row import Check, Finding, Measure, Row

SENTENCE_END = re.compile(r"[.!?…。！？]['\"”’»)\]*_]*\s*\Z")
CODE_BLOCK = re.compile(r"^```(python|py|json)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def length_in(unit: str) -> Measure:
    """Characters, or words between white space."""
    return (lambda row: len(row.text)) if unit == "characters" else (lambda row: len(row.tokens))


def must_match(pattern: str | None) -> Check | None:
    """The pattern must be found."""
    if pattern is None:
        return None
    search = re.compile(pattern).search
    return lambda row: None if search(row.text) else Finding("no match", pattern)


def must_not_match(pattern: str | None) -> Check | None:
    """The pattern must not be found."""
    if pattern is None:
        return None
    search = re.compile(pattern).search
    return lambda row: Finding(found[0][:200], pattern) if (found := search(row.text)) else None


def is_json(row: Row) -> Finding | None:
    """The text must be one JSON value."""
    problem = _json_problem(row.text)
    return Finding(problem, "one JSON value") if problem else None


def ends_like_a_sentence(row: Row) -> Finding | None:
    """The text must end in . ! ? or …, closing quotes and brackets aside."""
    tail = row.text.rstrip()[-20:]
    return None if SENTENCE_END.search(tail) else Finding(tail, ". ! ? …")


def code_parses(row: Row) -> Finding | None:
    """Every Markdown code block marked `python` or `json` must parse."""
    for language, code in CODE_BLOCK.findall(row.text):
        if problem := _json_problem(code) if language == "json" else _python_problem(code):
            return Finding(f"{language}: {problem}", "code that parses")
    return None


def _json_problem(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return str(error) or type(error).__name__
    return ""


def _python_problem(code: str) -> str:
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # all four are the parser's way to say no
        return str(error) or type(error).__name__
    return ""
