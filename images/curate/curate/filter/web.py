"""Rules for web text after Gopher, as measures of a row.

C4 (Raffel et al. 2020, section 2.2): no page with "lorem ipsum" or a curly bracket; at least 5 sentences, as in the
code published with T5 (the paper's text says 3). C4's line rules change text, so they belong to cleaning.

FineWeb (Penedo et al. 2024, section 3.6, and datatrove): at least 12 % of the lines end in punctuation; at most 67 % of
the lines have 30 characters or fewer; at most 1 % of the characters are in duplicate lines; at most 0.3 line ends per
word.
"""

import re

from curate.filter.gopher import repeated_characters
from curate.filter.row import Finding, Row, share

SENTENCES = 5
ENDED_LINES, SHORT_LINES, LINE_CHARACTERS, REPEATED, LINE_ENDS = 0.12, 0.67, 30, 0.01, 0.3
SENTENCE_END = re.compile(r"\w[\"'’”)\]]*[.!?]+[\"'’”)\]]*(?:\s|\Z)")
END_MARKS = (".", "!", "?", "…", '"', "'", "”", "’", "。", "！", "？", "؟", "।")


def lorem_ipsum(row: Row) -> Finding | None:
    """Filler text."""
    return Finding("lorem ipsum", "not there") if "lorem ipsum" in row.text.casefold() else None


def curly_bracket(row: Row) -> Finding | None:
    """Code where prose is wanted."""
    return Finding("{", "not there") if "{" in row.text else None


def sentence_count(row: Row) -> int:
    """Sentences, by their end marks."""
    return len(SENTENCE_END.findall(row.text))


def ended_lines(row: Row) -> float:
    """Share of lines that end in punctuation."""
    return share(sum(line.endswith(END_MARKS) for line in row.lines), len(row.lines))


def short_lines(row: Row) -> float:
    """Share of lines of 30 characters or fewer."""
    return share(sum(len(line) <= LINE_CHARACTERS for line in row.lines), len(row.lines))


def repeated_line_characters(row: Row) -> float:
    """Share of characters in lines that came before, line ends aside."""
    return share(repeated_characters(row.lines), len(row.text) - row.text.count("\n"))


def line_ends_per_word(row: Row) -> float:
    """Line ends per word."""
    return share(row.text.count("\n"), len(row.words))
