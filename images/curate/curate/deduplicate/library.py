"""Candidates from datasketch's MinHashLSH, for those who want the library's own."""

from collections.abc import Iterator

import numpy as np
from datasketch import MinHash, MinHashLSH

from curate.deduplicate.minhash import Bands, Mask, PackedPairs
from curate.shingles import Hashes, Ragged
from curate.similar import pack, unpack

SCHEME = "affine64"  # our shingles are 64-bit hashes already


class Library:
    """A sketch is the hash values of a `MinHash`; all pairs come at once."""

    def __init__(self, cut: Bands, seed: int) -> None:
        self.cut, self.seed = cut, seed
        self.functions = cut.bands * cut.rows
        self._pairs: PackedPairs | None = None

    def sketch(self, sets: Ragged) -> Hashes:
        """MinHash values of each row; zeros for a row without shingles."""
        rows = [sets.row(index).tolist() for index in range(len(sets.offsets) - 1)]
        hashes = MinHash.generator(rows, num_perm=self.functions, seed=self.seed, hashfunc=int, scheme=SCHEME)
        pairs = zip(hashes, rows, strict=True)
        values = [minhash.hashvalues if row else np.zeros(self.functions) for minhash, row in pairs]
        return np.array(values, np.uint64).reshape(len(rows), self.functions)

    def related(self, sketches: Hashes) -> Mask:
        """Rows of any pair."""
        pairs, _ = self.candidates(sketches, np.ones(len(sketches), bool))
        related = np.zeros(len(sketches), bool)
        for side in unpack(pairs):
            related[side] = True
        return related

    def candidates(self, sketches: Hashes, alive: Mask) -> tuple[PackedPairs, bool]:
        """Each row with the earlier rows that the index returns for it; the same pairs however often it is asked."""
        if self._pairs is None:
            self._pairs = np.unique(np.array(list(self._query(sketches)), np.uint64))
        return self._pairs, False

    def _query(self, sketches: Hashes) -> Iterator[int]:
        index = MinHashLSH(num_perm=self.functions, params=tuple(self.cut))
        plain = MinHash(num_perm=self.functions, seed=self.seed, scheme=SCHEME)
        for row in np.flatnonzero(sketches.any(axis=1)).tolist():
            minhash = MinHash(seed=self.seed, hashvalues=sketches[row], permutations=plain.permutations, scheme=SCHEME)
            earlier = np.array(index.query(minhash), np.int64)
            yield from pack(earlier, np.full(len(earlier), row)).tolist()
            index.insert(row, minhash)
