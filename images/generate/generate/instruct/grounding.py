"""How much of an answer stands in its chunk, by words and by runs of words."""

from functools import lru_cache

from contract.records import Chunk
from generate.instruct.checks import Fault
from generate.words import STOP_WORDS, words

RUN = 5
"""Words in a run."""
GROUNDING, RUNS = "grounding", "grounding_runs"
"""Scores of a sample: the share of the answer's content words in the chunk, and of its runs of five words."""


def grounding(answer: str, chunk: Chunk) -> dict[str, float]:
    """Both shares (0 to 1), each place in the answer counted; the chunk's title counts as said. An answer without
    content words is wholly unfounded."""
    known, known_runs = _known(f"{chunk.title or ''} {chunk.text}")
    every = words(answer)
    runs, said = _runs(every), [word for word in every if word not in STOP_WORDS]
    return {
        GROUNDING: _share(sum(map(known.__contains__, said)), len(said)),
        RUNS: _share(sum(map(known_runs.__contains__, runs)), len(runs)),
    }


def ungrounded(answer: str, chunk: Chunk, least: float) -> Fault | None:
    """The rule that drops an answer of too few words of the chunk, and its share."""
    if not least or (share := grounding(answer, chunk)[GROUNDING]) >= least:
        return None
    return "not_grounded", f"{share:.4g}"


@lru_cache(maxsize=16)
def _known(source: str) -> tuple[frozenset[str], frozenset[tuple[str, ...]]]:
    """A chunk's words and runs; its answers come one after the other."""
    said = words(source)
    return frozenset(said), frozenset(_runs(said))


def _runs(said: list[str]) -> list[tuple[str, ...]]:
    return list(zip(*(said[start:] for start in range(RUN)), strict=False))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
