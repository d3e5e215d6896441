"""Vectors that were computed before, kept in a store for later runs: a transformer takes 10 ms or more a text."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from curate.embed.embedder import Embedder, Vectors
from stagekit.store import Store

PACK = 8_192  # vectors in one object


@contextmanager
def remembering(encoder: Embedder, store: Store) -> Iterator["Remembering"]:
    """The encoder with a memory in the store; what it computed is kept at the end, after a failure too."""
    with TemporaryDirectory(prefix="nocturne-") as folder:
        memory = Remembering(encoder, store, Path(folder))
        try:
            yield memory
        finally:
            memory.flush()


class Remembering:
    """An `Embedder` that computes only texts it has not seen in any run.

    Objects are arrays of digest (16 bytes) and vector, below the encoder's name; one that cannot be read counts as
    absent. Runs that write at once write objects of their own.
    """

    def __init__(self, encoder: Embedder, store: Store, folder: Path) -> None:
        self.name, self.dimension = encoder.name, encoder.dimension
        self.computed = 0
        self._encoder, self._store = encoder, store
        self._kind = np.dtype([("digest", "S16"), ("vector", np.float32, (encoder.dimension,))])
        self._packs = list(self._stored(folder))
        self._places = {digest: (number, row) for number, pack in enumerate(self._packs) for row, digest in _rows(pack)}
        self._fresh: dict[bytes, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector per text, shape `(texts, dimension)`."""
        digests = [_digest(text) for text in texts]
        missing = {
            digest: text
            for digest, text in zip(digests, texts, strict=True)
            if digest not in self._places and digest not in self._fresh
        }
        if missing:
            self._fresh |= zip(missing, self._encoder.embed(list(missing.values())), strict=True)
            self.computed += len(missing)
        vectors = np.array([self._vector(digest) for digest in digests], np.float32)
        if len(self._fresh) >= PACK:
            self.flush()
        return vectors.reshape(len(texts), self.dimension)

    def flush(self) -> None:
        """Keep what was computed since the last time."""
        if not self._fresh:
            return
        pack = np.empty(len(self._fresh), self._kind)
        pack["digest"], pack["vector"] = list(self._fresh), list(self._fresh.values())
        name = hashlib.blake2b(pack["digest"].tobytes(), digest_size=16).hexdigest()
        self._store.create(f"{self.name}/{name}", pack.tobytes())
        self._places |= {digest: (len(self._packs), row) for row, digest in _rows(pack)}
        self._packs.append(pack)
        self._fresh = {}

    def _vector(self, digest: bytes) -> Vectors:
        if digest in self._fresh:
            return self._fresh[digest]
        number, row = self._places[digest]
        vector: Vectors = self._packs[number]["vector"][row]
        return vector

    def _stored(self, folder: Path) -> Iterator[np.ndarray]:
        for entry in self._store.list(f"{self.name}/"):
            path = self._store.fetch(entry.name, folder)
            if path and entry.size and not entry.size % self._kind.itemsize:
                yield np.memmap(path, self._kind, "r")


def _rows(pack: np.ndarray) -> Iterator[tuple[int, bytes]]:
    return enumerate(digest.ljust(16, b"\0") for digest in pack["digest"].tolist())


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
