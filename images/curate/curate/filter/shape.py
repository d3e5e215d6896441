"""Length and format of a text."""

import re
from pathlib import Path

import numpy as np

from contract.failures import BadInput
from curate.filter.code import json_problem
from curate.filter.rows import Check, Measure, Rows, Values, Verdicts, failing, none_of, texts_of
from curate.patterns import Expression

SENTENCE_END = re.compile(r"[.!?…。！？]['\"”’»)\]*_]*\s*\Z")
TAIL = 20  # characters in which a sentence's end is looked for
SHOWN = 200  # characters of a match kept in the ledger


def characters(rows: Rows) -> Values:
    """Characters."""
    return rows.characters


def words(rows: Rows) -> Values:
    """Words between white space."""
    return np.fromiter((len(text.split()) for text in rows.strings), np.int64, len(rows))


def tokens(tokenizer: Path) -> Measure:
    """Tokens of a `tokenizer.json`, special ones aside. Raises `BadInput` for a file that is none."""
    from tokenizers import Tokenizer

    text = tokenizer.read_text(encoding="utf-8", errors="replace")
    if json_problem(text) or '"model"' not in text:
        raise BadInput("the file is no tokenizer", expected="a tokenizer.json", where=tokenizer.name)
    encoder = Tokenizer.from_str(text)

    def measure(rows: Rows) -> Values:
        encoded = encoder.encode_batch_fast(rows.strings, add_special_tokens=False)
        return np.fromiter(map(len, encoded), np.int64, len(rows))

    return measure


def code_parses(rows: Rows) -> Verdicts:
    """Every Markdown code block in a language with a parser here must parse."""
    return failing(rows.code.problems, "code that parses")


def must_match(pattern: str | None) -> Check | None:
    """The pattern must be found."""
    if pattern is None:
        return None
    search = Expression(pattern, "format.must_match").search
    return none_of(lambda text: None if search(text) else "no match", texts_of, pattern)


def must_not_match(pattern: str | None) -> Check | None:
    """The pattern must not be found."""
    if pattern is None:
        return None
    search = Expression(pattern, "format.must_not_match").search
    return none_of(lambda text: found[0][:SHOWN] if (found := search(text)) else None, texts_of, pattern)


def _not_json(text: str) -> str | None:
    return json_problem(text) or None


def _unfinished(text: str) -> str | None:
    tail = text.rstrip()[-TAIL:]
    return None if SENTENCE_END.search(tail) else tail


is_json = none_of(_not_json, texts_of, "one JSON value")
"""The text must be one JSON value."""

ends_like_a_sentence = none_of(_unfinished, texts_of, ". ! ? …")
"""The text must end in . ! ? or …, closing quotes and brackets aside."""
