"""How often each of very many keys occurs, exactly, in bounded memory."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
HELD = 8_000_000
"""Keys in memory at once (64 MB, and as much again while they are sorted)."""


class KeyCounter:
    """Counts 64-bit keys; sorted runs of them wait in `folder` when they are more than `held`."""

    def __init__(self, folder: Path, held: int = HELD) -> None:
        self._folder, self._held = folder, held
        self._buffer: list[Keys] = []
        self._buffered = 0
        self._runs: list[tuple[Path, Path]] = []

    def add(self, keys: Keys) -> None:
        """Count each of these once more."""
        self._buffer.append(keys)
        self._buffered += len(keys)
        if self._buffered >= self._held:
            self._spill()

    def at_least(self, number: int) -> tuple[Keys, Keys]:
        """The keys counted at least so often, in order, and their counts."""
        self._spill()
        runs = [(np.load(keys, mmap_mode="r"), np.load(counts, mmap_mode="r")) for keys, counts in self._runs]
        parts = [_frequent(part, number) for part in self._ranges(runs)]
        none = np.empty(0, np.uint64)
        keys, counts = zip(*parts, strict=True) if parts else ((none,), (none,))
        return np.concatenate(keys), np.concatenate(counts)

    def _spill(self) -> None:
        if not self._buffered:
            return
        keys, counts = np.unique(np.concatenate(self._buffer), return_counts=True)
        paths = self._folder / f"keys-{len(self._runs)}.npy", self._folder / f"counts-{len(self._runs)}.npy"
        np.save(paths[0], keys)
        np.save(paths[1], counts.astype(np.uint64))
        self._runs.append(paths)
        self._buffer, self._buffered = [], 0

    def _ranges(self, runs: list[tuple[Keys, Keys]]) -> list[list[tuple[Keys, Keys]]]:
        """The runs cut at the same keys, so that each part fits into memory; hashes are spread evenly."""
        parts = -(-sum(len(keys) for keys, _ in runs) // self._held) or 1
        bounds = np.array([(1 << 64) * part // parts for part in range(1, parts)], np.uint64)
        cuts = [[0, *np.searchsorted(keys, bounds).tolist(), len(keys)] for keys, _ in runs]
        return [
            [
                (keys[cut[n] : cut[n + 1]], counts[cut[n] : cut[n + 1]])
                for (keys, counts), cut in zip(runs, cuts, strict=True)
            ]
            for n in range(parts)
        ]


def _frequent(runs: list[tuple[Keys, Keys]], number: int) -> tuple[Keys, Keys]:
    """One part of all runs merged, without the rare keys."""
    if not runs:
        return np.empty(0, np.uint64), np.empty(0, np.uint64)
    keys, places = np.unique(np.concatenate([keys for keys, _ in runs]), return_inverse=True)
    counts = np.zeros(len(keys), np.uint64)
    np.add.at(counts, places, np.concatenate([counts for _, counts in runs]))
    frequent = counts >= number
    return keys[frequent], counts[frequent]
