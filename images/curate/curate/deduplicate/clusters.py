"""Clusters of duplicates for people to look at: how many and how large, and the largest with texts."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from curate.deduplicate.verdicts import KEPT, RULES, Verdicts
from curate.scan.arrays import I64s

LARGEST = 10  # clusters shown of each rule
MEMBERS = 5  # rows shown of each cluster, the least alike first
SHOWN = 300  # characters of a text


class Clusters:
    """A cluster is a kept row and all rows that were dropped for it by one rule. Read texts while the rows pass by."""

    def __init__(self, verdicts: Verdicts, ids: pa.Array) -> None:
        self._verdicts, self._ids = verdicts, ids
        self._shown = {rule: self._largest(number) for number, rule in enumerate(RULES)}
        rows = [row for shown in self._shown.values() for kept, members in shown for row in (kept, *members)]
        self._rows = np.unique(np.array(rows, np.int64))
        self._texts: dict[int, str] = {}

    def read(self, first_row: int, texts: pa.Array | list[str]) -> None:
        """Take the texts that will be shown from those of some rows."""
        begin, end = np.searchsorted(self._rows, [first_row, first_row + len(texts)])
        for row in self._rows[begin:end].tolist():
            text = texts[row - first_row]
            self._texts[row] = (text if isinstance(text, str) else text.as_py())[:SHOWN]

    def facts(self) -> dict[str, dict[str, Any]]:
        """The report: by rule the sizes (rows with the kept one: number of clusters), and the largest clusters."""
        return {rule: self._of_rule(number) for number, rule in enumerate(RULES)}

    def _of_rule(self, number: int) -> dict[str, Any]:
        sizes = Counter((self._sizes(number)[1] + 1).tolist())
        shown = self._shown[RULES[number]]
        return {
            "clusters": sum(sizes.values()),
            "sizes": {str(size): sizes[size] for size in sorted(sizes)},
            "largest": [self._cluster(kept, members, number) for kept, members in shown],
        }

    def _cluster(self, kept: int, members: list[int], number: int) -> dict[str, Any]:
        size = int(((self._verdicts.partner == kept) & (self._verdicts.rule == number)).sum()) + 1
        rows = [self._row(row) | {"similarity": round(float(self._verdicts.similarity[row]), 6)} for row in members]
        return {"size": size, "kept": self._row(kept), "members": rows}

    def _row(self, row: int) -> dict[str, Any]:
        """A row's id and the beginning of its text; rows of other datasets are known by id only."""
        return {"id": self._ids[row].as_py(), "text": self._texts.get(row)}

    def _sizes(self, number: int) -> tuple[I64s, I64s]:
        """Kept rows of a rule's clusters, and how many rows were dropped for each."""
        gone = (self._verdicts.partner != KEPT) & (self._verdicts.rule == number)
        kept, sizes = np.unique(self._verdicts.partner[gone], return_counts=True)
        return kept, sizes

    def _largest(self, number: int) -> list[tuple[int, list[int]]]:
        """The largest clusters of a rule; ties are broken by id, so that the order of rows plays no part."""
        kept, sizes = self._sizes(number)
        if not len(kept):
            return []
        least = np.sort(sizes)[::-1][:LARGEST][-1]
        some = np.flatnonzero(sizes >= least).tolist()
        some.sort(key=lambda place: (-sizes[place], self._ids[int(kept[place])].as_py()))
        return [(int(kept[place]), self._members(int(kept[place]), number)) for place in some[:LARGEST]]

    def _members(self, kept: int, number: int) -> list[int]:
        gone = np.flatnonzero((self._verdicts.partner == kept) & (self._verdicts.rule == number)).tolist()
        gone.sort(key=lambda row: (self._verdicts.similarity[row], self._ids[row].as_py()))
        return gone[:MEMBERS]
