"""Passages that show how an author writes: a few of each author's chunks, drawn by hash."""

import heapq
from collections import defaultdict

from contract.records import Chunk
from generate.choice import point
from stagekit.dataset import Dataset

PASSAGE_CHARACTERS = 1_000
Drawn = tuple[float, str, str]
"""A chunk's place in the draw, its id, and the start of its text."""


class Passages:
    """For each author, one more passage than is asked for: the chunk at hand never serves as its own example.

    A new chunk changes an author's passages only where the hash puts it among them.
    """

    def __init__(self, chunks: Dataset, number: int, seed: int) -> None:
        self.number = number
        self._drawn: dict[str, list[Drawn]] = defaultdict(list)
        if not number:
            return
        for batch in chunks.batches(columns=["id", "author", "text"]):
            for row in batch.to_pylist():
                if row["author"]:
                    self._offer(row["author"], (point("passage", row["id"], seed), row["id"], row["text"]))

    def of(self, chunk: Chunk) -> list[str]:
        """Passages by the chunk's author from other chunks, cut at a word's end."""
        found = [text for _, id, text in self._drawn.get(chunk.author or "", []) if id != chunk.id]
        return [_cut(text) for text in found if text != chunk.text][: self.number]

    def _offer(self, author: str, drawn: Drawn) -> None:
        self._drawn[author] = heapq.nsmallest(self.number + 1, [*self._drawn[author], drawn])


def _cut(text: str) -> str:
    if len(text) <= PASSAGE_CHARACTERS:
        return text
    return text[:PASSAGE_CHARACTERS].rpartition(" ")[0] or text[:PASSAGE_CHARACTERS]
