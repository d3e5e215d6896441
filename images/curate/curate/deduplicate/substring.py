"""Long passages that rows share: found by hashed windows of words, compared word by word, decided best row first.

Lee et al. (2022, "Deduplicating training data makes language models better") cut runs of 50 tokens that occur twice.
Here they are found without a suffix array: two passes over the texts, of which only rows that may share a passage are
held (8 bytes a word, in files), and a table of their windows. Nothing depends on the order of rows but through the
order of preference.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from contract.config.substring import Substring
from curate.scan.arrays import F64s, I64s, U8s, U64s
from curate.scan.buffers import Texts
from curate.shingles import Ragged, offsets_of, words
from curate.threads import in_order

KEPT, FOLLOWS = -1, -2
BITS_PER_ANCHOR = 16
LEAST_BITS, MOST_BITS = 1 << 20, 1 << 32  # at most two sets of 512 MB

Batches = Callable[[], Iterator[tuple[I64s, Texts]]]
"""Reads the rows in question again: numbers of some rows, and their texts."""


class Shared(NamedTuple):
    """Rows that may share a passage: their numbers, their words one after another, and which windows may repeat."""

    rows: I64s
    words: Ragged
    opened: U8s


class Passages(NamedTuple):
    """Passages found: the row, its first word and the word after the last; the row that holds it, and where there."""

    row: I64s
    start: I64s
    end: I64s
    holder: I64s
    there: I64s

    def __len__(self) -> int:
        return len(self.row)

    def of_kept(self, partner: I64s) -> "Passages":
        """Those of rows that were not dropped."""
        return Passages(*(column[partner[self.row] == KEPT] for column in self))

    def by_row(self) -> "Passages":
        """Sorted by row and place."""
        order = np.lexsort((self.start, self.row))
        return Passages(*(column[order] for column in self))


NO_PASSAGES = Passages(*(np.empty(0, np.int64) for _ in range(5)))


class Choice(NamedTuple):
    """For each of `Shared.rows` the row that holds most of it, `KEPT`, or `FOLLOWS` where it stays dropped; the share
    of its words that kept rows hold; and the passages, by numbers of rows, of rows that go as well."""

    partner: I64s
    share: F64s
    passages: Passages


def may_share(batches: Batches, count: int, length: int, folder: Path, workers: int = 0) -> Shared:
    """Read all rows twice and hold those that may share a passage; `count` is about the number of words in them."""
    twice = _repeated_anchors(batches, count, length, workers)
    rows, sizes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    with (folder / "words").open("wb") as words_file, (folder / "opened").open("wb") as opened_file:
        for some, found, opened in in_order(lambda item: _flagged(*item, length, twice), batches(), workers):
            rows.append(some)
            sizes.append(found.lengths)
            words_file.write(found.values.data)
            opened_file.write(opened.data)
    offsets = offsets_of(np.concatenate(sizes))
    held: U64s = _mapped(folder / "words", np.uint64)
    return Shared(np.concatenate(rows), Ragged(held, offsets), _mapped(folder / "opened", np.uint8))


def shared_passages(shared: Shared, place: I64s, follows: I64s, settled: U8s, config: Substring) -> Choice:
    """Who consists of what stands in rows that are kept.

    For every row of the input `place` says where it comes in the order of preference, `follows` the row for which it
    was dropped already or -1, `settled` has ones for rows that stay.
    """
    from curate.deduplicate.passages import walk

    index = np.full(len(place), -1, np.int64)
    index[shared.rows] = np.arange(len(shared.rows))
    following = follows[shared.rows]
    leaders = np.where(following < 0, -1, index[following])
    order = np.argsort(place[shared.rows])
    order = order[(following[order] < 0) | (leaders[order] >= 0)]  # a leader that shares nothing stays
    sizes = shared.words.lengths
    partner, covered = np.full(len(sizes), FOLLOWS, np.int64), np.zeros(len(sizes), np.int64)
    found = walk(
        *shared.words, order, shared.opened, config.length, allowed_words(sizes, config),
        settled[shared.rows], leaders, _table(shared.opened), partner, covered,
    )  # fmt: skip
    row, start, end, holder, there = found.T
    bounds = shared.words.offsets
    passages = Passages(
        shared.rows[row], start - bounds[row], end - bounds[row], shared.rows[holder], there - bounds[holder]
    )
    partner[partner >= 0] = shared.rows[partner[partner >= 0]]
    return Choice(partner, covered / np.maximum(sizes, 1), passages)


def allowed_words(sizes: I64s, config: Substring) -> I64s:
    """How many words of each row, of `sizes` words, may stand in kept rows before it goes."""
    if config.action == "report":
        return sizes
    if config.action == "cut":
        return sizes - config.minimum
    allowed: I64s = np.floor(sizes * config.share + 1e-9).astype(np.int64)
    return allowed


def _repeated_anchors(batches: Batches, count: int, length: int, workers: int) -> U8s:
    """A set of bits, by hash, of the anchors that may stand in two places."""
    from curate.deduplicate.windows import note

    wanted = BITS_PER_ANCHOR * 4 * count // length
    size = 1 << (min(max(wanted, LEAST_BITS), MOST_BITS) - 1).bit_length()
    once, twice = np.zeros(size // 8, np.uint8), np.zeros(size // 8, np.uint8)
    for hashes, _, _ in in_order(lambda item: _anchors(words(item[1]), length), batches(), workers):
        note(hashes, once, twice)  # by one thread: two could both be the first to see an anchor
    return twice


def _anchors(found: Ragged, length: int) -> tuple[U64s, I64s, I64s]:
    from curate.deduplicate.windows import anchors_of_all

    hashes, places = np.empty(len(found.values), np.uint64), np.empty(len(found.values), np.int64)
    offsets = np.empty(len(found.offsets), np.int64)
    anchors_of_all(*found, length, hashes, places, offsets)
    return hashes[: offsets[-1]], places[: offsets[-1]], offsets


def _flagged(rows: I64s, texts: Texts, length: int, twice: U8s) -> tuple[I64s, Ragged, U8s]:
    """The rows of a batch with a repeated anchor: numbers, words, and marks where a window may repeat."""
    from curate.deduplicate.windows import open_windows

    found = words(texts)
    opened, some = np.zeros(len(found.values), np.uint8), np.zeros(len(rows), np.uint8)
    open_windows(*_anchors(found, length), found.offsets, length, twice, opened, some)
    chosen = np.flatnonzero(some)
    marks = Ragged(opened.astype(np.uint64), found.offsets).take(chosen)
    return rows[chosen], found.take(chosen), marks.values.astype(np.uint8)


def _table(opened: U8s) -> I64s:
    """Room for all open windows, at most half full."""
    return np.full(1 << (2 * int(opened.sum(dtype=np.int64)) + 16).bit_length(), -1, np.int64)


def _mapped(path: Path, kind: type[np.generic]) -> np.ndarray:
    if not path.stat().st_size:
        return np.empty(0, kind)
    return np.memmap(path, kind, "r").view(np.ndarray)
