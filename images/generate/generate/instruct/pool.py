"""The pool of tasks that a new one must differ from: seeds, and what was made so far.

ROUGE-L (the F measure of the longest common subsequence of words) is the measure of Self-Instruct (Wang et al. 2022,
arXiv 2212.10560), and 0.7 its limit. It equals the normalised Indel similarity of the two word lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rapidfuzz import process
from rapidfuzz.distance import Indel

from generate.choice import point
from generate.words import words

SEEDS_IN_FOUR = 3
"""Of four examples shown, how many are seeds; Self-Instruct shows six and two."""
FIRST_CODE, SURROGATES, LAST_CODE = 0x100, range(0xD800, 0xE000), 0x10FFFF


@dataclass(frozen=True)
class Task:
    """A task of the pool."""

    id: str
    text: str


@dataclass
class Pool:
    """Grows as tasks are accepted. `seeds` and `made` are what examples are drawn from."""

    seeds: list[Task] = field(default_factory=list)
    made: list[Task] = field(default_factory=list)
    _coded: list[str] = field(default_factory=list)
    _ids: list[str] = field(default_factory=list)
    _codes: dict[str, str] = field(default_factory=dict)

    def add(self, task: Task, made: bool = True) -> None:
        """Take in a task; a seed where it was not `made`."""
        (self.made if made else self.seeds).append(task)
        self._coded.append(self._code(task.text))
        self._ids.append(task.id)

    def nearest(self, text: str, limit: float) -> tuple[float, str] | None:
        """ROUGE-L and id of the most similar task, if it is above `limit` or the same in every word."""
        found = process.extractOne(
            self._code(text), self._coded, scorer=Indel.normalized_similarity, processor=None, score_cutoff=limit
        )
        if found is None or limit >= found[1] != 1:
            return None
        return round(found[1], 4), self._ids[found[2]]

    def examples(self, number: int, *draw: object) -> list[Task]:
        """Tasks to show with a request, drawn by hash; seeds stand in for made ones that are not there yet."""
        made = drawn(self.made, number - -(-number * SEEDS_IN_FOUR // 4), "made", *draw)
        shown = [*drawn(self.seeds, number - len(made), "seed", *draw), *made]
        return sorted(shown, key=lambda task: point("place", *draw, task.id))

    def _code(self, text: str) -> str:
        """One character for each word, so that whole words are compared."""
        return "".join(self._codes.setdefault(word, _character(len(self._codes))) for word in words(text))


def drawn(tasks: Sequence[Task], number: int, *draw: object) -> list[Task]:
    """That many different tasks, or all there are: each place by hash, so that a growing pool costs nothing."""
    if number >= len(tasks):
        return list(tasks)
    places: dict[int, None] = {}
    tried = 0
    while len(places) < number:
        places[int(point(*draw, tried) * len(tasks))] = None
        tried += 1
    return [tasks[place] for place in places]


def _character(number: int) -> str:
    code = FIRST_CODE + number
    return chr(code if code < SURROGATES.start else min(code + len(SURROGATES), LAST_CODE))
