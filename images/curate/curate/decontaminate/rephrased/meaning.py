"""Candidates by meaning: for each row, the items whose vectors are nearest to its own."""

from collections.abc import Sequence
from threading import Lock

import numpy as np

from curate.decontaminate.rephrased.retrieve import Candidates
from curate.embed.embedder import Embedder, Vectors

PRODUCTS = 2**24  # computed at once
MARGIN = 1e-4  # a product in single precision is that near to the true cosine


class NearestItems:
    """The items' vectors. Calls from several threads embed one after another: an encoder uses all cores by itself."""

    def __init__(self, items: Sequence[str], encoder: Embedder, k: int) -> None:
        self._encoder, self._k = encoder, k
        self._items = encoder.embed(items)
        self._lock = Lock()

    def candidates(self, rows: Sequence[str]) -> Candidates:
        """The `k` items of highest cosine for each row, above 0; ties go to the earlier item."""
        with self._lock:
            vectors = self._encoder.embed(rows)
        size = max(1, PRODUCTS // max(1, len(self._items)))
        blocks = [nearest(vectors[at : at + size], self._items, self._k) for at in range(0, max(1, len(rows)), size)]
        return Candidates(*(np.concatenate(part) for part in zip(*blocks, strict=True)))


def nearest(rows: Vectors, items: Vectors, k: int) -> Candidates:
    """The `k` items of highest cosine for each row.

    A matrix product finds who may be among them; their cosine is then summed in one fixed order, in double precision,
    since a product's last digits depend on how many rows there are.
    """
    found = Candidates(np.full((len(rows), k), -1, np.int64), np.zeros((len(rows), k)))
    products = rows @ items.T
    least = np.partition(products, -k, axis=1)[:, -k] if k < len(items) else np.zeros(len(rows))
    row, item = np.nonzero(products >= np.maximum(least - MARGIN, MARGIN)[:, None])
    cosine = np.einsum("ij,ij->i", rows[row].astype(np.float64), items[item].astype(np.float64))
    order = np.lexsort((item, -cosine, row))
    row, item, cosine = row[order], item[order], cosine[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    best = rank < k
    found.items[row[best], rank[best]] = item[best]
    found.cosines[row[best], rank[best]] = np.minimum(cosine[best], 1.0)
    return found
