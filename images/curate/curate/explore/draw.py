"""A bounded draw of samples, for what would take too long of all of them."""

from collections.abc import Sequence
from heapq import heappush, heappushpop
from typing import NamedTuple

from contract.keys import digest
from contract.records import Sample

TEXT = 4_000  # characters of a text that are looked at
ANSWER = 1_000  # characters that a language is told from
SHOWN = 160  # characters of an instruction on the map and among examples


class Drawn(NamedTuple):
    """What is kept of a sample. `order` is its hash, negative, so that a heap gives up the greatest first."""

    order: int
    id: str
    instruction: str
    answer: str
    words: int
    text: str
    scores: tuple[tuple[str, float], ...]


class Draw:
    """Keeps the `size` samples whose ids have the least hashes, whatever their order; at most 6 kB of text each."""

    def __init__(self, size: int, field: str) -> None:
        self._size, self._field = size, field
        self._heap: list[Drawn] = []

    def add(self, samples: Sequence[Sample]) -> None:
        """Offer one batch."""
        for sample in samples:
            order = -int(digest([sample.id]), 16)
            if len(self._heap) < self._size:
                heappush(self._heap, self._drawn(order, sample))
            elif order > self._heap[0].order:
                heappushpop(self._heap, self._drawn(order, sample))

    def rows(self) -> list[Drawn]:
        """The samples drawn, in the order of their hashes."""
        return sorted(self._heap, reverse=True)

    def _drawn(self, order: int, sample: Sample) -> Drawn:
        instruction, answer = sample.instruction, sample.answer
        return Drawn(
            order,
            sample.id,
            " ".join(instruction[: 2 * SHOWN].split())[:SHOWN],
            answer[:ANSWER],
            len(answer.split()),
            self._text(sample)[:TEXT],
            tuple(sorted(sample.scores.items())),
        )

    def _text(self, sample: Sample) -> str:
        if self._field == "conversation":
            return "\n".join(message.content for message in sample.messages)
        return str(getattr(sample, self._field))
