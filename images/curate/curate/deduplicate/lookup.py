"""Rows looked up by their digests of 128 bits, shape `(rows, 2)`."""

import numpy as np

from curate.scan.arrays import I64s, U8s, U64s
from curate.scan.ready import Ready

NOWHERE = -1
FIRST_OF, INDEX_OF, FIND = (Ready("curate.deduplicate.digests", name) for name in ("first_of", "index_of", "find"))


def first_of(digests: U64s, order: I64s, alone: U8s) -> I64s:
    """For each row in an order of rows the first row with the same digest; rows marked `alone` share none."""
    first = np.empty(len(order), np.int64)
    FIRST_OF(digests, order, alone, _places_for(len(order)), first)
    return first


def index_of(digests: U64s, rows: I64s) -> I64s:
    """A hash table of some rows by their digests; of equal ones the first."""
    places = _places_for(len(rows))
    INDEX_OF(digests, rows, places)
    return places


def find(wanted: U64s, digests: U64s, places: I64s) -> I64s:
    """The row of each wanted digest in such a table, or `NOWHERE`."""
    found = np.empty(len(wanted), np.int64)
    FIND(wanted, digests, places, found)
    return found


def _places_for(count: int) -> I64s:
    """An empty hash table of up to `count` row numbers."""
    return np.full(1 << max(4, (2 * count - 1).bit_length()), NOWHERE, np.int64)
