"""Outputs of the model that were computed before, kept in a store: a night pays only for texts that are new.

Objects are arrays of digest (16 bytes) and outputs, below a name that stands for all that decides them; one that cannot
be read counts as absent. Runs that write at once write objects of their own.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from stagekit.store import Store

PACK = 8_192  # texts in one object
Outputs = npt.NDArray[np.float32]


@contextmanager
def remembering(store: Store, name: str, outputs: int) -> "Iterator[Memory]":
    """A memory in the store, of so many outputs for each text; what is new is kept at the end, after a failure too."""
    with TemporaryDirectory(prefix="nocturne-") as folder:
        memory = Memory(store, name, outputs, Path(folder))
        try:
            yield memory
        finally:
            memory.flush()


class Memory:
    """Outputs by token ids."""

    def __init__(self, store: Store, name: str, outputs: int, folder: Path) -> None:
        self.computed = 0
        self._store, self._name = store, name
        self._kind = np.dtype([("digest", np.uint8, (16,)), ("outputs", np.float32, (outputs,))])
        self._packs = list(self._stored(folder))
        self._places = {digest: place for number in range(len(self._packs)) for digest, place in self._rows(number)}
        self._fresh: dict[bytes, Outputs] = {}

    def get(self, ids: Sequence[int]) -> Outputs | None:
        """What the model said of these tokens; None where it was not asked yet."""
        digest = _digest(ids)
        if digest in self._fresh:
            return self._fresh[digest]
        number, row = self._places.get(digest, (-1, -1))
        return None if number < 0 else np.array(self._packs[number]["outputs"][row])

    def put(self, ids: Sequence[int], outputs: Outputs) -> None:
        """Remember what the model said."""
        self._fresh[_digest(ids)] = outputs
        self.computed += 1
        if len(self._fresh) >= PACK:
            self.flush()

    def flush(self) -> None:
        """Keep what is new since the last time."""
        if not self._fresh:
            return
        pack = np.empty(len(self._fresh), self._kind)
        pack["digest"] = np.frombuffer(b"".join(self._fresh), np.uint8).reshape(-1, 16)
        pack["outputs"] = list(self._fresh.values())
        name = hashlib.blake2b(pack["digest"].tobytes(), digest_size=16).hexdigest()
        self._store.create(f"{self._name}/{name}", pack.tobytes())
        self._packs.append(pack)
        self._places |= self._rows(len(self._packs) - 1)
        self._fresh = {}

    def _rows(self, number: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
        digests = np.ascontiguousarray(self._packs[number]["digest"]).tobytes()
        for row in range(len(digests) // 16):
            yield digests[16 * row : 16 * row + 16], (number, row)

    def _stored(self, folder: Path) -> Iterator[np.ndarray]:
        for entry in self._store.list(f"{self._name}/"):
            path = self._store.fetch(entry.name, folder)
            if path and entry.size and not entry.size % self._kind.itemsize:
                yield np.memmap(path, self._kind, "r")


def _digest(ids: Sequence[int]) -> bytes:
    return hashlib.blake2b(np.asarray(ids, np.int64).tobytes(), digest_size=16).digest()
