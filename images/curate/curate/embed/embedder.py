"""What an encoder of texts is to those who use one."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors of length 1, so that the cosine of two texts is the dot product of their vectors.

    A vector depends on its text alone, not on the texts embedded with it. A text without anything to encode (no words)
    gets a zero vector, which is like no other. `name` stands for all that determines the vectors.
    """

    name: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector per text, shape `(texts, dimension)`, float32."""


def unit(vectors: Vectors) -> Vectors:
    """The same vectors, each divided by its length; zero vectors stay zero."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    scaled: Vectors = (vectors / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
    return scaled
