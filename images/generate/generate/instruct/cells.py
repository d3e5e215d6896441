"""The taxonomy of self-instruct: its cells, and how many tasks each gets."""

from dataclasses import dataclass
from itertools import product

from contract.config.instruct import SelfInstruct
from generate.choice import point


@dataclass(frozen=True)
class Cell:
    """One combination of topic, complexity, length, tone and language."""

    topic: str
    complexity: str
    length: str
    tone: str
    language: str

    @property
    def tags(self) -> list[str]:
        """For a sample's tags."""
        return [f"{name}:{value}" for name, value in vars(self).items()]


def quotas(config: SelfInstruct, seed: int) -> list[tuple[Cell, int]]:
    """Each cell that gets tasks, and how many: `count` spread evenly; which cells get one more is drawn by hash."""
    parts = product(config.topics, config.complexities, config.lengths, config.tones, config.languages)
    cells = list(dict.fromkeys(Cell(*values) for values in parts))
    each, more = divmod(config.count, len(cells))
    favoured = set(sorted(cells, key=lambda cell: point("cell", *cell.tags, seed))[:more])
    numbers = [(cell, each + (cell in favoured)) for cell in cells]
    return [(cell, number) for cell, number in numbers if number]
