"""How much of a text repeats: lines, paragraphs and n-grams of tokens that came before, by hash tables.

Two parts are equal when their 64-bit hashes are: of a billion different parts, a pair collides with a chance of 3 %.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from curate.filter.pieces import BASE, SPREAD, Hashes, Numbers, Spans, Text
from curate.filter.prose import stripped
from curate.scan.compiled import compiled

OPENING = 100_000  # tokens whose n-grams are counted; Gopher drops longer texts anyway
NEWLINE = 10
Values: TypeAlias = npt.NDArray[np.float64]


class Table(NamedTuple):
    """A hash table that is emptied by raising `stamp[0]`; all arrays but `stamp` have a power of two of slots."""

    keys: Hashes
    stamps: Numbers
    counts: Numbers
    slots: Numbers
    stamp: Numbers


class Sums(NamedTuple):
    """Over the tokens before each one: the hash of all their characters in a row, and how many those are.

    `runs` has room for a hash of each run of tokens.
    """

    hashes: Hashes
    characters: Numbers
    powers: Hashes
    runs: Hashes


class Border(NamedTuple):
    """What parts are cut at: runs of at least `least` line ends, of which `most` make one border. Without `blank`,
    parts of nothing but white space do not count."""

    least: int
    most: int
    blank: bool


LINES, PARAGRAPHS, FULL_LINES = Border(1, 1 << 30, True), Border(2, 1 << 30, True), Border(1, 1, False)


def new_table(items: int) -> Table:
    """A table for that many items."""
    slots = 1 << max(4, int(2 * items - 1).bit_length())
    stamps, counts, places = (np.zeros(slots, np.int32) for _ in range(3))
    return Table(np.zeros(slots, np.uint64), stamps, counts, places, np.zeros(1, np.int32))


def new_sums(longest: int) -> Sums:
    """Room for the sums of a text of that many characters."""
    powers = np.full(longest + 1, BASE, np.uint64)
    powers[0] = 1
    tokens = min(longest, OPENING) + 1
    hashes, runs = (np.zeros(tokens, np.uint64) for _ in range(2))
    return Sums(hashes, np.zeros(tokens, np.int32), np.cumprod(powers, dtype=np.uint64), runs)


@compiled
def spread(value: np.uint64) -> np.uint64:
    """Spread a value over all 64 bits (the finaliser of SplitMix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled
def _empty(table: Table, items: int) -> int:
    """Empty the table for some items; returns the mask of the slots to use, few ones for few items."""
    table.stamp[0] += 1
    slots = 16
    while slots < 2 * items:
        slots *= 2
    return slots - 1


@compiled
def _count(table: Table, mask: int, key: np.uint64, item: int) -> int:
    """How often the key was there before; notes where in `slots[item]`."""
    slot = np.int64(key) & mask
    stamp = table.stamp[0]
    while table.stamps[slot] == stamp and table.keys[slot] != key:
        slot = (slot + 1) & mask
    if table.stamps[slot] != stamp:
        table.stamps[slot], table.keys[slot], table.counts[slot] = stamp, key, 0
    table.slots[item] = slot
    table.counts[slot] += 1
    return int(table.counts[slot]) - 1


@compiled
def _part_hash(text: Text, start: int, end: int) -> np.uint64:
    points = text.points
    total = np.uint64(end - start)
    for place in range(start, end):
        total = (total ^ np.uint64(points[place])) * BASE
        total ^= total >> np.uint64(29)
    return spread(total)


@compiled
def repeated_parts(
    text: Text, start: int, end: int, border: Border, newlines: int, table: Table
) -> tuple[int, int, int]:
    """Parts between borders, how many came before, and the characters in those."""
    points = text.points
    least, most, blank = border
    mask = _empty(table, newlines + 1)
    parts = repeated = characters = 0
    place = first = start
    while place <= end:
        run = 0
        while place + run < end and points[place + run] == NEWLINE and run < most:
            run += 1
        if place == end or run >= least:
            if blank or _has_text(text, first, place):
                if _count(table, mask, _part_hash(text, first, place), parts):
                    repeated += 1
                    characters += place - first
                parts += 1
            first = place + max(run, 1)
        place += max(run, 1)
    return parts, repeated, characters


@compiled
def _has_text(text: Text, start: int, end: int) -> bool:
    start, end = stripped(text, start, end)
    return start < end


@compiled
def sum_up(text: Text, spans: Spans, count: int, sums: Sums) -> int:
    """Fill the sums over the opening's tokens; returns how many those are."""
    points = text.points
    opening = min(count, OPENING)
    total, characters = np.uint64(0), 0
    for token in range(opening):
        for place in range(spans[0, token], spans[1, token]):
            total = total * BASE + (np.uint64(points[place]) + np.uint64(1)) * SPREAD
        characters += spans[1, token] - spans[0, token]
        sums.hashes[token + 1], sums.characters[token + 1] = total, characters
    return opening


@compiled
def _gram(sums: Sums, token: int, length: int) -> np.uint64:
    """The hash of some tokens' characters in a row."""
    characters = sums.characters[token + length] - sums.characters[token]
    return spread(sums.hashes[token + length] - sums.hashes[token] * sums.powers[characters])


@compiled
def top_grams(sums: Sums, count: int, longest: int, table: Table, out: Numbers) -> None:
    """For each length from 2 to `longest` the characters in all copies of the most frequent n-gram, spaces between its
    tokens counted; the first of equally frequent ones. Where no n-gram repeats, no longer one does."""
    runs, characters = sums.runs, sums.characters
    for token in range(count):
        runs[token] = _gram(sums, token, 1)
    most = 2
    for length in range(2, longest + 1):
        grams = count - length + 1
        out[length - 2] = 0
        if grams < 1:
            continue
        for token in range(grams):
            runs[token] = spread(runs[token] * BASE + _gram(sums, token + length - 1, 1))
        first = 0
        if most > 1:
            most, first = _most(table, runs, grams)
        out[length - 2] = most * (characters[first + length] - characters[first] + length - 1)


@compiled
def _most(table: Table, keys: Hashes, number: int) -> tuple[int, int]:
    """How often the most frequent key occurs, and where first."""
    mask = _empty(table, number)
    most = first = 0
    for item in range(number):
        most = max(most, _count(table, mask, keys[item], item) + 1)
    while table.counts[table.slots[first]] < most:
        first += 1
    return most, first


@compiled
def repeated_grams(sums: Sums, count: int, length: int, table: Table) -> int:
    """Characters in n-grams that came before, from left to right, none counted twice."""
    grams = count - length + 1
    if grams < 2:
        return 0
    mask = _empty(table, grams)
    token = characters = 0
    while token < grams:
        if _count(table, mask, _gram(sums, token, length), token):
            characters += sums.characters[token + length] - sums.characters[token]
            token += length
        else:
            token += 1
    return characters
