"""Gopher's rules for web text (Rae et al. 2021, "Scaling Language Models", table A1), as measures of a row.

Quality: 50 to 100,000 words; mean word length 3 to 10 characters; # or ellipsis per word at most 0.1; at most 90 % of
the lines begin with a bullet; at most 30 % end in an ellipsis; at least 80 % of the words hold a letter; at least two
of the words the, be, to, of, and, that, have, with.

Repetition, as shares: duplicate lines 0.30, duplicate paragraphs 0.30, characters in duplicate lines 0.20 and
paragraphs 0.20; characters in the most frequent 2-, 3- and 4-gram 0.20, 0.18, 0.16; characters in duplicate 5- to
10-grams 0.15, 0.14, 0.13, 0.12, 0.11, 0.10. The paper leaves open how copies are counted: here, as in datatrove, a
duplicate is any copy but the first, and overlapping copies count once. A most frequent n-gram must occur twice to count
at all. N-grams are counted in the first 100,000 words.
"""

from collections.abc import Sequence

import numpy as np

from curate.filter.row import Measure, Row, share

STOP_WORDS = frozenset(("the", "be", "to", "of", "and", "that", "have", "with"))
BULLETS = ("•", "‣", "●", "◦", "▪", "-", "*", "+")
ELLIPSES = ("...", "…")
WORDS = (50, 100_000)
WORD_LENGTH = (3, 10)
SYMBOLS, BULLET_LINES, ELLIPSIS_LINES, WITH_LETTER, STOP = 0.1, 0.9, 0.3, 0.8, 2
DUPLICATE_LINES = DUPLICATE_PARAGRAPHS = 0.30
DUPLICATE_LINE_CHARACTERS = DUPLICATE_PARAGRAPH_CHARACTERS = 0.20
TOP_NGRAMS = {2: 0.20, 3: 0.18, 4: 0.16}
DUPLICATE_NGRAMS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}


def word_count(row: Row) -> int:
    """Words."""
    return len(row.words)


def mean_word_length(row: Row) -> float:
    """Characters per word."""
    return share(sum(map(len, row.words)), len(row.words))


def symbols_per_word(row: Row) -> float:
    """Number signs or ellipses per word, whichever is more."""
    ellipses = sum(row.text.count(mark) for mark in ELLIPSES)
    return share(max(row.text.count("#"), ellipses), len(row.words))


def bullet_lines(row: Row) -> float:
    """Share of lines that begin with a bullet."""
    return share(sum(line.startswith(BULLETS) for line in row.lines), len(row.lines))


def ellipsis_lines(row: Row) -> float:
    """Share of lines that end in an ellipsis."""
    return share(sum(line.endswith(ELLIPSES) for line in row.lines), len(row.lines))


def words_with_letter(row: Row) -> float:
    """Share of tokens with at least one letter."""
    return share(sum(token.isalpha() or any(map(str.isalpha, token)) for token in row.tokens), len(row.tokens))


def stop_words(row: Row) -> int:
    """How many of the eight stop words occur."""
    return len(STOP_WORDS.intersection(map(str.casefold, row.words)))


def duplicate_lines(row: Row) -> float:
    """Share of lines that came before."""
    return share(len(row.lines) - len(set(row.lines)), len(row.lines))


def duplicate_paragraphs(row: Row) -> float:
    """Share of paragraphs that came before."""
    return share(len(row.paragraphs) - len(set(row.paragraphs)), len(row.paragraphs))


def duplicate_line_characters(row: Row) -> float:
    """Share of characters in lines that came before."""
    return share(repeated_characters(row.lines), len(row.text))


def duplicate_paragraph_characters(row: Row) -> float:
    """Share of characters in paragraphs that came before."""
    return share(repeated_characters(row.paragraphs), len(row.text))


def top_ngram(length: int) -> Measure:
    """Share of characters in the most frequent n-gram of `length` words, if it occurs more than once."""

    def measure(row: Row) -> float:
        grams = row.ngrams(length)
        counts = np.bincount(grams)[grams]
        if not len(grams) or (count := int(counts.max())) == 1:
            return 0.0
        first = int(counts.argmax())
        characters = sum(map(len, row.opening[first : first + length])) + length - 1
        return share(count * characters, row.opening_characters)

    return measure


def duplicate_ngrams(length: int) -> Measure:
    """Share of characters in n-grams of `length` words that came before, overlaps counted once."""

    def measure(row: Row) -> float:
        grams = row.ngrams(length)
        if not len(grams) or grams.max() + 1 == len(grams):
            return 0.0
        return share(_characters_seen_before(grams.tolist(), row.opening, length), row.opening_characters)

    return measure


def repeated_characters(parts: Sequence[str]) -> int:
    """Characters in parts that came before."""
    return sum(map(len, parts)) - sum(map(len, set(parts)))


def _characters_seen_before(grams: list[int], words: list[str], length: int) -> int:
    seen: set[int] = set()
    position = characters = 0
    while position < len(grams):
        if grams[position] in seen:
            characters += sum(map(len, words[position : position + length]))
            position += length
        else:
            seen.add(grams[position])
            position += 1
    return characters
