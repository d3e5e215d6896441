"""How much of an answer stands in its chunk, by words and by runs of words."""

from functools import cached_property, lru_cache

from contract.records import Chunk
from generate.instruct.checks import Fault
from generate.words import STOP_WORDS, words

RUN = 5
"""Words in a run."""
GROUNDING, RUNS = "grounding", "grounding_runs"
"""Scores of a sample: the share of the answer's content words in the chunk, and of its runs of five words."""


class Source:
    """A chunk's words, and its runs of words once they are needed; its title counts as said."""

    def __init__(self, title: str, text: str) -> None:
        self._said = words(f"{title} {text}")
        self.words = frozenset(self._said)

    @cached_property
    def runs(self) -> frozenset[tuple[str, ...]]:
        """Its runs of words."""
        return frozenset(_runs(self._said))


def grounding(answer: str, chunk: Chunk) -> dict[str, float]:
    """Both shares (0 to 1), each place in the answer counted; the chunk's title counts as said. An answer without
    content words is wholly unfounded."""
    source, every = _source(chunk.title or "", chunk.text), words(answer)
    unknown = set(every) - source.words
    said = [word for word in every if word not in STOP_WORDS]
    known = sum(word not in unknown for word in said) if unknown else len(said)
    return {
        GROUNDING: _share(known, len(said)),
        RUNS: _share(_found(every, unknown, source), max(0, len(every) - RUN + 1)),
    }


def ungrounded(answer: str, chunk: Chunk, least: float) -> Fault | None:
    """The rule that drops an answer of too few words of the chunk, and its share."""
    if not least or (share := grounding(answer, chunk)[GROUNDING]) >= least:
        return None
    return "not_grounded", f"{share:.4g}"


@lru_cache(maxsize=16)
def _source(title: str, text: str) -> Source:
    """A chunk as a source; its answers come one after the other."""
    return Source(title, text)


def _found(said: tuple[str, ...], unknown: set[str], source: Source) -> int:
    """How many runs of words stand in the source: of those without an unknown word, since the others cannot."""
    if unknown:
        hopeful = [run for run in _runs(said) if unknown.isdisjoint(run)]
    else:
        hopeful = _runs(said)
    return sum(run in source.runs for run in hopeful) if hopeful else 0


def _runs(said: tuple[str, ...]) -> list[tuple[str, ...]]:
    return list(zip(*(said[start:] for start in range(RUN)), strict=False))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
