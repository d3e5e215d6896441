"""Rows that rephrase an item: candidates from compiled loops, the second look only for rows that have one."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from contract.config.decontaminate import Rephrased
from curate.decontaminate.rephrased.look import SecondLook
from curate.decontaminate.rephrased.meaning import NearestItems
from curate.decontaminate.rephrased.retrieve import LEAST_COSINE, Candidates, Retriever
from curate.embed.embedder import Embedder
from curate.shingles import Indices, Ragged, words
from curate.text import Strings


class Rephrasing(NamedTuple):
    """A row, the item that it is most like, how sure it is that one rephrases the other, or the cosine of both (0 to
    1), and from which value on the row goes."""

    row: int
    item: int
    score: float
    threshold: float

    @property
    def sure(self) -> bool:
        """Whether the row goes."""
        return self.score >= self.threshold


class RephrasedItems:
    """Finds rows that say what an item says in other words.

    Measured on 164 HumanEval items rephrased by a model (17 of them empty): at 0.9 it finds 129, and takes 1 % of
    unrelated code instructions for an item; `tests/bench/measure_rephrased.py` has the curve. With an encoder, the
    items nearest in meaning are candidates too, and a row goes by its cosine alone where the config says so.
    """

    def __init__(self, items: Sequence[str], config: Rephrased, encoder: Embedder | None = None) -> None:
        self._retriever = Retriever(words(items), config.candidates)
        self._look = SecondLook(items)
        self._threshold = config.threshold
        self._least = config.threshold if config.check is None else config.check
        near = config.embedding
        self._nearest = NearestItems(items, encoder, near.candidates) if near and encoder else None
        self._cosine = near.cosine if near else None

    def found(self, texts: Strings, rows: Ragged) -> list[Rephrasing]:
        """The best item of each row whose score is at least `check`, in order of rows; then those by cosine alone."""
        items = worth_a_look(self._retriever.candidates(rows))
        if not self._nearest:
            return list(self._looked_at(texts, items))
        near = self._nearest.candidates(texts.to_pylist())
        looked = self._looked_at(texts, np.hstack([items, near.items]))
        return [*looked, *([] if self._cosine is None else same(near, self._cosine))]

    def _looked_at(self, texts: Strings, items: Indices) -> Iterator[Rephrasing]:
        for row in np.flatnonzero((items >= 0).any(axis=1)).tolist():
            some = [item for item in dict.fromkeys(items[row].tolist()) if item >= 0]
            scores = self._look.scores(texts[row].as_py(), some)
            place = int(scores.argmax())
            if scores[place] >= self._least:
                yield Rephrasing(row, some[place], float(scores[place]), self._threshold)


def worth_a_look(found: Candidates) -> Indices:
    """The candidates by words, `(rows, k)`, with -1 in place of those too far from the row."""
    return np.where(found.cosines >= LEAST_COSINE, found.items, -1)


def same(near: Candidates, cosine: float) -> list[Rephrasing]:
    """The nearest item of each row that reaches the cosine."""
    rows = np.flatnonzero(near.cosines[:, 0] >= cosine).tolist()
    return [Rephrasing(row, int(near.items[row, 0]), float(near.cosines[row, 0]), cosine) for row in rows]
