"""Question and answer weighed together, rare words more: rows that hold most of what is particular to an item.

After allenai/decon (2025): the question's share is that of its n-grams, each by its inverse document frequency among
the items; the answer counts only near the question, a short one only whole; a short question has to be held in full.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curate.decontaminate.index import Index, Postings
from curate.shingles import Hashes, Indices, Ragged, ngrams, words

Shares = npt.NDArray[np.float64]

WORDS = 5  # words per n-gram of a question
ANSWER_WORDS = 3  # words per n-gram of an answer; a shorter one must stand as it is
QUESTION_PART = 0.75  # of the score, where an item has an answer
FEW, MANY = 20, 50  # words: questions up to FEW must be held in full, from MANY on the threshold holds as it is
NEARBY = 50  # words around the question's n-grams in which the answer is looked for, or twice its length


class Weighed(NamedTuple):
    """Pairs of row and item with the score that says so and the score that was needed (0 to 1)."""

    row: Indices
    item: Indices
    score: Shares
    needed: Shares


class WeighedItems:
    """Finds rows by the weighted share of question and answer. `questions` and `answers` go by item."""

    def __init__(self, questions: Ragged, answers: Sequence[str], threshold: float) -> None:
        self._index = Index(questions, WORDS)
        self._answers = words(answers)
        items, grams = _distinct(self._index)
        holders = np.bincount(grams, minlength=self._index.distinct)
        self._idf = np.log1p((len(answers) or 1) / np.maximum(holders, 1))
        self._total = np.bincount(items, self._idf[grams], minlength=len(answers))
        self._needed = np.interp(questions.lengths, [FEW, MANY], [1.0, threshold])

    def weighed(self, rows: Ragged) -> Weighed:
        """All pairs that reach what their question's length asks for."""
        parts = [self._of_some(rows, found.once()) for found in self._index.found(rows)]
        none, nothing = np.empty(0, np.int64), np.empty(0)
        empty = Weighed(none, none, nothing, nothing)
        return Weighed(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))

    def _of_some(self, rows: Ragged, found: Postings) -> Weighed:
        starts = found.starts()
        row, item = found.row[starts], found.item[starts]
        score = np.add.reduceat(self._idf[found.gram], starts) / self._total[item]
        answered = np.flatnonzero(self._answers.lengths[item] > 0)
        score[answered] *= QUESTION_PART
        spans = _spans(found, starts)
        for pair in answered[score[answered] + 1 - QUESTION_PART >= self._needed[item[answered]] - 1e-9].tolist():
            near = _around(rows, int(row[pair]), spans[pair], len(self._answers.row(int(item[pair]))))
            score[pair] += (1 - QUESTION_PART) * answer_share(self._answers.row(int(item[pair])), near)
        needed = self._needed[item]
        enough = score >= needed - 1e-9
        return Weighed(row[enough], item[enough], score[enough], needed[enough])


def answer_share(answer: Hashes, near: Hashes) -> float:
    """The share of an answer's word 3-grams among some words (hashed); a shorter answer is there in order or not."""
    n = min(ANSWER_WORDS, len(answer))
    wanted, there = (ngrams(Ragged(some, np.array([0, len(some)])), n, short=False).values for some in (answer, near))
    return float(np.isin(wanted, there).mean())


def _distinct(index: Index) -> tuple[Indices, Indices]:
    """Pairs of item and gram, each once."""
    grams = np.repeat(np.arange(index.distinct), np.diff(index.bounds))
    pairs = np.unique(index.items(index.postings) << 32 | grams)
    return pairs >> 32, pairs & 0xFFFFFFFF


def _spans(found: Postings, starts: Indices) -> Indices:
    """First and last place in the row (words) of each pair's n-grams."""
    return np.column_stack([np.minimum.reduceat(found.place, starts), np.maximum.reduceat(found.place, starts)])


def _around(rows: Ragged, row: int, span: Indices, length: int) -> Hashes:
    reach = max(NEARBY, 2 * length)
    return rows.row(row)[max(0, int(span[0]) - reach) : int(span[1]) + WORDS + reach]
