"""Rows that rephrase an item: candidates from compiled loops, the second look only for rows that have one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from curate.decontaminate.rephrased.look import SecondLook
from curate.decontaminate.rephrased.retrieve import LEAST_COSINE, Retriever
from curate.shingles import Ragged, words
from curate.text import Strings


class Rephrasing(NamedTuple):
    """A row, the item that it is most like, and how sure it is that one rephrases the other (0 to 1)."""

    row: int
    item: int
    score: float


class RephrasedItems:
    """Finds rows that say what an item says in other words.

    Measured on 164 HumanEval items rephrased by a model (17 of them empty): at 0.9 it finds 129, and takes 1 % of
    unrelated code instructions for an item; `tests/bench/measure_rephrased.py` has the curve.
    """

    def __init__(self, items: Sequence[str], candidates: int) -> None:
        self._retriever = Retriever(words(items), candidates)
        self._look = SecondLook(items)

    def found(self, texts: Strings, rows: Ragged, least: float) -> list[Rephrasing]:
        """The best item of each row whose score is at least `least`, in order of rows."""
        items, cosines = self._retriever.candidates(rows)
        best = []
        for row in np.flatnonzero(cosines.max(axis=1, initial=0) >= LEAST_COSINE).tolist():
            some = items[row][cosines[row] >= LEAST_COSINE].tolist()
            scores = self._look.scores(texts[row].as_py(), some)
            place = int(scores.argmax())
            if scores[place] >= least:
                best.append(Rephrasing(row, some[place], float(scores[place])))
        return best
