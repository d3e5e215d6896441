"""Texts as weighted means of word vectors.

Smooth inverse frequency (Arora, Liang and Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings"): a
word of frequency p counts `A / (A + p)`, and what all texts have in common is taken out.

Half of a word's vector is learnt, half are signs drawn from its hash. Vectors learnt from a small corpus are all alike:
of 250 texts with a fifth of their words changed, measured among 11,200 real ones, 72 % had their parent as nearest
neighbour by learnt vectors alone, 99 % by halves.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from curate.embed.embedder import Vectors, unit
from curate.scan.buffers import Texts
from curate.shingles import Hashes, words

A = 1e-3  # the paper's middle value
OWN = 0.5  # share of a word's own signs in the square of its vector's length
ENOUGH = 5
ROWS = 4096  # texts at once


class WordVectors:
    """An `Embedder` made of word vectors.

    `hashes` are the words' hashes, sorted; `vectors` has shape `(words, dimension)`, `frequencies` the share of each
    word in all text. A word that has no vector is its signs alone, so that names and numbers tell texts apart.
    """

    def __init__(self, name: str, hashes: Hashes, vectors: Vectors, frequencies: npt.NDArray[np.float64]) -> None:
        self.name, self.dimension = name, vectors.shape[1]
        self._hashes = hashes
        self._scale = np.float32(1 / np.sqrt(self.dimension))
        self._weighted = _with_signs(hashes, unit(vectors), self._scale)
        self._weighted *= (A / (A + frequencies))[:, None].astype(np.float32)
        self._mean = np.zeros(self.dimension, np.float32)
        self._common = np.zeros((0, self.dimension), np.float32)

    def centre(self, texts: Sequence[str], directions: int) -> None:
        """Take out of all vectors the mean of these texts and the `directions` in which they differ most.

        Few texts, less than `ENOUGH` for each number of a vector, cannot tell these from what each one says: of them
        only the direction that they share most goes, as in the paper. Left in, it puts any two long texts at 0.99.
        """
        vectors = unit(self._sums(texts)).astype(np.float64)
        if len(vectors) < ENOUGH * self.dimension:
            self._common = np.linalg.svd(vectors, full_matrices=False)[2][:1].astype(np.float32)
            return
        self._mean = vectors.mean(axis=0).astype(np.float32)
        spread = np.cov((vectors - self._mean).T, bias=True)
        _, axes = np.linalg.eigh(spread)
        self._common = np.ascontiguousarray(axes.T[::-1][:directions]).astype(np.float32)

    def embed(self, texts: Texts) -> Vectors:
        """One vector per text, shape `(texts, dimension)`."""
        out = np.empty((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), ROWS):
            out[start : start + ROWS] = self._embedded(texts[start : start + ROWS])
        return out

    def _embedded(self, texts: Texts) -> Vectors:
        sums = self._sums(texts)
        wordless = ~sums.any(axis=1)
        vectors = unit(sums) - self._mean
        for axis in self._common:
            vectors -= np.einsum("ij,j->i", vectors, axis)[:, None] * axis
        vectors[wordless] = 0
        return unit(vectors)

    def _sums(self, texts: Texts) -> Vectors:
        from curate.embed.sums import weighted_sums

        found = words(texts)
        out = np.zeros((len(texts), self.dimension), np.float32)
        weighted_sums(found.values, found.offsets, self._hashes, self._weighted, self._scale, out)
        return out


def _with_signs(hashes: Hashes, vectors: Vectors, scale: np.float32) -> Vectors:
    """Vectors of which the share `OWN` is the words' signs."""
    from curate.embed.sums import signs_of

    mixed = (vectors * np.float32((1 - OWN) ** 0.5)).astype(np.float32)
    signs_of(hashes, scale * np.float32(OWN**0.5), mixed)
    return mixed
