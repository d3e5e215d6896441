"""A split that does not leak and does not move.

Samples that share a document, or whose instruction or answer are near-duplicates, form a group; a group is on one side.
What decides is a fixed number between 0 and 1 of each document (of each conversation, where a sample has no document):
a group is for testing when any of its numbers is below the share. So when samples are added

- groups that they do not touch stay where they are;
- what was for testing stays for testing, even when a new sample ties two groups together: a training sample may move to
  the test side then, but a test sample is never trained on later.

Two exceptions, both for odd data. A group of more than `MOST_UNITS` documents always trains, since long chains of
near-duplicates would else crowd into the test split. And where the rule leaves one side empty, or more than half of all
samples for testing, whole groups change sides, those with the number nearest to the share first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract.failures import BadInput
from contract.keys import digest
from curate.shingles import Indices
from curate.similar import connected

MOST_UNITS = 4


@dataclass(frozen=True)
class Group:
    """Rows that must stay together: how many, of how many documents, and the smallest of their numbers."""

    rows: int
    units: int
    number: float


@dataclass(frozen=True)
class Split:
    """For each row whether it is for testing, and the group it belongs to."""

    test: npt.NDArray[np.bool_]
    group: Indices


def split(units: Sequence[str], links: Sequence[tuple[Indices, Indices]], share: float, seed: int) -> Split:
    """Sides for rows of which `units` names the document, and `links` the pairs that are near-duplicates.

    Raises `BadInput` where there are no rows, or where all belong to one group, so that no split keeps its sides apart.
    """
    if not units:
        raise BadInput("there are no samples to publish", expected="at least one", where="publish")
    labels = _grouped(units, links)
    groups = _groups(units, labels, seed)
    chosen = _for_testing(groups, share) if share else set()
    return Split(np.isin(labels, sorted(chosen)), labels)


def leaks(result: Split, links: Sequence[tuple[Indices, Indices]]) -> int:
    """How many of these pairs have one row on each side."""
    return sum(int((result.test[left] != result.test[right]).sum()) for left, right in links)


def _grouped(units: Sequence[str], links: Sequence[tuple[Indices, Indices]]) -> Indices:
    first: dict[str, int] = {}
    own = np.array([first.setdefault(unit, row) for row, unit in enumerate(units)], np.int64)
    left = np.concatenate([own, *(pair[0] for pair in links)])
    right = np.concatenate([np.arange(len(units)), *(pair[1] for pair in links)])
    return connected(len(units), left, right)


def _groups(units: Sequence[str], labels: Indices, seed: int) -> list[Group]:
    members: list[set[str]] = [set() for _ in range(int(labels.max(initial=-1)) + 1)]
    for unit, label in zip(units, labels.tolist(), strict=True):
        members[label].add(unit)
    rows = np.bincount(labels).tolist()
    return [Group(rows[i], len(some), min(_number(unit, seed) for unit in some)) for i, some in enumerate(members)]


def _for_testing(groups: Sequence[Group], share: float) -> set[int]:
    if len(groups) < 2:
        raise BadInput(
            f"all {sum(group.rows for group in groups)} samples belong to one group of shared documents and "
            "near-duplicates, so the test split would be empty",
            expected="at least two groups",
            where="publish",
            hint="add documents, raise near_duplicate, or set test_share to 0",
        )
    half = sum(group.rows for group in groups) / 2
    ranked = sorted((i for i, group in enumerate(groups) if group.rows <= half), key=lambda i: groups[i].number)
    allowed = [i for i in ranked if groups[i].units <= MOST_UNITS]
    chosen = [i for i in allowed if groups[i].number < share] or (allowed or ranked)[:1]
    while sum(groups[i].rows for i in chosen) > half:
        chosen.pop()
    return set(chosen)


def _number(unit: str, seed: int) -> float:
    """A number from 0 to 1 that depends on nothing but the document's name and the seed."""
    return int(digest([seed, unit])[:13], 16) / 16**13
