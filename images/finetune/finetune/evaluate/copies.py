"""How much of what a model says stands word for word in its training data."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from finetune.evaluate.style import words_of

SHORTEST = 8
"""Words that a run must have to be looked at; shorter ones are common speech (PaLM's overlap check, Chowdhery et al.
2022, takes 8-grams too)."""


@dataclass(frozen=True)
class Copied:
    """The longest run of words that stands in a train answer too (0: none of `SHORTEST` words), and the run."""

    words: int = 0
    text: str = ""


def longest_copies(answers: Sequence[str], train: Iterable[str]) -> list[Copied]:
    """For each answer the longest run of at least `SHORTEST` words that it shares with any train answer.

    Train answers are read once; of equal runs the one that comes first in the answer is kept.
    """
    said = [words_of(answer) for answer in answers]
    begins: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for number, words in enumerate(said):
        for place, gram in enumerate(_grams(words)):
            begins[gram].append((number, place))
    best: list[tuple[int, int]] = [(0, 0)] * len(said)
    for text in train if begins else ():
        words = words_of(text)
        for there, gram in enumerate(_grams(words)):
            for number, here in begins.get(gram, ()):
                if here and there and said[number][here - 1] == words[there - 1]:
                    continue  # part of a run that was seen from its beginning
                best[number] = max(best[number], (_run(said[number], here, words, there), -here))
    return [Copied(length, " ".join(words[-at : length - at])) for words, (length, at) in zip(said, best, strict=True)]


def _grams(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return zip(*(words[shift:] for shift in range(SHORTEST)), strict=False)


def _run(one: Sequence[str], here: int, other: Sequence[str], there: int) -> int:
    """How many words two texts share from two places on."""
    length = SHORTEST
    while here + length < len(one) and there + length < len(other) and one[here + length] == other[there + length]:
        length += 1
    return length
