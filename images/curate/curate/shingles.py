r"""Texts as sequences and sets of hashed words and word n-grams.

A word is what Python's `re` finds as `\w+` in the lower-cased text, in any script. Hashes have 64 bits and depend on
nothing but the characters. Written in numpy because a loop of `re.findall` per text takes nine tenths of a whole
near-duplicate search; a test holds it equal to `re` on all text.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Hashes: TypeAlias = npt.NDArray[np.uint64]
Indices: TypeAlias = npt.NDArray[np.int64]

BLOCK = 1 << 18  # characters hashed at once: the arrays of a block fit the processor's cache
ALL = 2**64 - 1
BASE, STEP, SALT = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F  # odd, bits well spread
NOT_A_WORD = re.compile(r"\W")


class Ragged(NamedTuple):
    """Rows of different lengths in one flat array: row i is `values[offsets[i]:offsets[i + 1]]`."""

    values: Hashes
    offsets: Indices

    @property
    def lengths(self) -> Indices:
        """How many values each row has."""
        return np.diff(self.offsets)

    def row(self, index: int) -> Hashes:
        """The values of one row."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def take(self, rows: Indices) -> "Ragged":
        """Some rows, in the order asked for."""
        lengths = self.lengths[rows]
        offsets = offsets_of(lengths)
        positions = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Ragged(self.values[positions], offsets)


def words(texts: Sequence[str]) -> Ragged:
    r"""The words of each text, hashed, in reading order."""
    counts = np.zeros(len(texts), np.int64)
    hashes = []
    for rows, pieces in _blocks(texts):
        found, lengths = _words_of_block(pieces)
        np.add.at(counts, rows, lengths)
        hashes.append(found)
    return Ragged(np.concatenate(hashes) if hashes else np.empty(0, np.uint64), offsets_of(counts))


def ngrams(found: Ragged, n: int, short: bool = True) -> Ragged:
    """The n-grams of each row of words, hashed, in reading order.

    A row of fewer than `n` words has one n-gram, of all its words; with `short=False`, and without words, it has none.
    """
    lengths = found.lengths
    counts = np.maximum(lengths - n + 1, (lengths > 0) & short)
    offsets = offsets_of(counts)
    out = np.empty(offsets[-1], np.uint64)
    whole = np.ones(len(out), bool)
    for length in range(1, n) if short else ():
        rows = np.flatnonzero(lengths == length)
        whole[offsets[rows]] = False
        out[offsets[rows]] = _joined(found.values, found.offsets[rows], length)
    ends = np.repeat(found.offsets[1:], lengths)
    out[whole] = _joined(found.values, np.flatnonzero(np.arange(len(found.values)) + n <= ends), n)
    return Ragged(out, offsets)


def as_sets(rows: Ragged) -> Ragged:
    """Each row's distinct values, sorted."""
    values, bounds = rows.values.copy(), rows.offsets.tolist()
    for start, end in pairwise(bounds):
        values[start:end].sort()  # many small sorts take a tenth of one large sort by row and value
    first = np.ones(len(values), bool)
    first[1:] = values[1:] != values[:-1]
    first[rows.offsets[:-1][rows.lengths > 0]] = True
    counts = np.zeros(len(rows.offsets) - 1, np.int64)
    counts[rows.lengths > 0] = np.add.reduceat(first, rows.offsets[:-1][rows.lengths > 0], dtype=np.int64)
    return Ragged(values[first], offsets_of(counts))


def distinct(values: Hashes) -> Hashes:
    """The different values, sorted; `np.unique` of numpy 2.4 goes through a hash table that is ten times slower."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def lookup(table: Hashes, values: Hashes) -> tuple[npt.NDArray[np.bool_], Indices]:
    """Whether each value is in a sorted table of distinct values, and where it would be."""
    which = np.searchsorted(table, values)
    if not len(table):
        return np.zeros(len(values), bool), which
    return table[np.minimum(which, len(table) - 1)] == values, which


def shingle_sets(texts: Sequence[str], n: int) -> Ragged:
    """The set of hashed word n-grams of each text; a text shorter than `n` words is one n-gram of all its words."""
    return as_sets(ngrams(words(texts), n))


def join(parts: Sequence[Ragged]) -> Ragged:
    """Rows of several arrays, one after another."""
    if not parts:
        return Ragged(np.empty(0, np.uint64), np.zeros(1, np.int64))
    lengths = np.concatenate([part.lengths for part in parts])
    return Ragged(np.concatenate([part.values for part in parts]), offsets_of(lengths))


def offsets_of(lengths: npt.NDArray[np.integer]) -> Indices:
    """Where rows of these lengths start, and the end of the last."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def mix(values: Hashes) -> Hashes:
    """Spread each value over all 64 bits (the finaliser of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _joined(hashes: Hashes, starts: Indices, length: int) -> Hashes:
    """One hash for the `length` words that begin at each start."""
    total = np.full(len(starts), length, np.uint64)
    for position in range(length):
        total = total * np.uint64(STEP) + hashes[starts + position]
    return mix(total)


def _blocks(texts: Sequence[str]) -> Iterator[tuple[list[int], list[str]]]:
    """Lower-cased pieces of texts with their rows, about `BLOCK` characters at a time."""
    rows: list[int] = []
    pieces: list[str] = []
    size = 0
    for row, text in enumerate(texts):
        for piece in _pieces(text.lower()):
            rows.append(row)
            pieces.append(piece)
            size += len(piece) + 1
            if size >= BLOCK:
                yield rows, pieces
                rows, pieces, size = [], [], 0
    if pieces:
        yield rows, pieces


def _pieces(text: str) -> Iterator[str]:
    """A long text cut between words, so that a huge row needs no huge arrays."""
    start = 0
    while len(text) - start > BLOCK:
        cut = NOT_A_WORD.search(text, start + BLOCK)
        if cut is None:
            break
        yield text[start : cut.start()]
        start = cut.end()
    yield text[start:]


def _words_of_block(pieces: list[str]) -> tuple[Hashes, Indices]:
    """Word hashes of some pieces, and how many each piece has.

    A word's hash is a difference of two prefix sums of its characters' hashes, each times a power of the base, moved
    back to power zero: no loop over words.
    """
    joined = "\n" + "\n".join(pieces) + "\n"
    points = _code_points(joined)
    inside = _is_word()[points]
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    powers, inverse = _powers(1 << (len(points) - 1).bit_length())
    sums = np.cumsum(mix(points.astype(np.uint64) + np.uint64(SALT)) * powers[: len(points)])
    hashes = mix((sums[ends - 1] - sums[starts - 1]) * inverse[starts] + (ends - starts).astype(np.uint64))
    bounds = offsets_of(np.fromiter((len(piece) + 1 for piece in pieces), np.int64, len(pieces)))
    return hashes, np.diff(np.searchsorted(starts, bounds))


def _code_points(text: str) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint32]:
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


@cache
def _is_word() -> npt.NDArray[np.bool_]:
    r"""For each code point, whether `\w` matches it."""
    table = np.fromiter((chr(point).isalnum() for point in range(0x110000)), bool, 0x110000)
    table[ord("_")] = True
    return table


@cache
def _powers(count: int) -> tuple[Hashes, Hashes]:
    """The first powers of the base, and of its inverse, modulo 2**64."""
    powers = np.full((2, count), BASE, np.uint64)
    powers[1] = pow(BASE, -1, ALL + 1)
    powers[:, 0] = 1
    products = np.cumprod(powers, axis=1, dtype=np.uint64)
    return products[0], products[1]
