"""How a later pass takes up what earlier ones decided, and hands its own decisions back."""

from typing import NamedTuple

import numpy as np

from curate.deduplicate.verdicts import EXACT, KEPT, RULES, Verdicts
from curate.scan.arrays import F64s, I64s

FOLLOWS = -2


class Places(NamedTuple):
    """Rows that a pass decides on, the most wanted first: all that are kept, and those dropped as less than equal.

    A row that was dropped stays so while the row that it repeats is kept; when a pass drops that one, its followers
    are rows like others again. `follows` has the place of the row that each was dropped for, or -1.
    """

    rows: I64s
    follows: I64s


def places_of(verdicts: Verdicts, order: I64s) -> Places:
    """The rows that matter, in an order of preference of all rows."""
    exact = (verdicts.partner != KEPT) & (verdicts.rule == RULES.index(EXACT))
    rows = order[~exact[order]]
    place = np.full(len(order), -1, np.int64)
    place[rows] = np.arange(len(rows))
    partner = verdicts.partner[rows]
    return Places(rows, np.where(partner == KEPT, -1, place[partner]))


def hand_back(verdicts: Verdicts, rows: I64s, partner: I64s, value: F64s, rule: str) -> None:
    """Enter a pass's decisions on some rows: the kept row that each repeats, `KEPT`, or `FOLLOWS` for no change.

    Exact copies of rows that go, go along.
    """
    decided = partner != FOLLOWS
    rows, partner, value = rows[decided], partner[decided], value[decided]
    gone = partner != KEPT
    verdicts.partner[rows] = partner
    verdicts.similarity[rows] = np.where(gone, value, 1.0)
    verdicts.rule[rows] = np.where(gone, RULES.index(rule), 0)
    copies = np.flatnonzero((verdicts.partner != KEPT) & (verdicts.rule == RULES.index(EXACT)))
    copied = verdicts.partner[copies]
    copies, copied = copies[verdicts.partner[copied] != KEPT], copied[verdicts.partner[copied] != KEPT]
    for column in (verdicts.rule, verdicts.similarity, verdicts.partner):
        column[copies] = column[copied]
