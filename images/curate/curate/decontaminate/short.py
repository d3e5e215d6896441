"""Items of fewer words than an n-gram: too common as parts of a text, they are found as a whole line of one only."""

from curate.decontaminate.index import by_length
from curate.shingles import Ragged, ngrams, words
from curate.text import Strings


class ShortItems:
    """Finds short items as whole lines; only rows that hold the words of one are read line by line."""

    def __init__(self, items: Ragged, n: int) -> None:
        self.n = n
        self._indices = by_length(items, n)
        self._of_line: dict[int, list[int]] = {}
        for index, which in self._indices:
            for item, line in zip(which.tolist(), ngrams(items.take(which), index.n).values.tolist(), strict=True):
                self._of_line.setdefault(line, []).append(item)

    def found(self, texts: Strings, rows: Ragged) -> list[tuple[int, int]]:
        """Pairs of row and item, each once, in order."""
        suspects = {row for index, _ in self._indices for row in index.shared(rows).row.tolist()}
        lines = [(row, line) for row in sorted(suspects) for line in texts[row].as_py().splitlines()]
        hashed = words([line for _, line in lines])
        whole = ngrams(hashed, self.n)
        pairs = set()
        for place, (row, _) in enumerate(lines):
            if 0 < hashed.lengths[place] < self.n:
                pairs |= {(row, item) for item in self._of_line.get(int(whole.row(place)[0]), ())}
        return sorted(pairs)
