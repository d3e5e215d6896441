"""How much of a text repeats: lines, paragraphs and n-grams of tokens that came before, by hash tables.

Two parts are equal when their 64-bit hashes are: of a billion different parts, a pair collides with a chance of 3 %.
"""

from typing import NamedTuple

import numpy as np

from curate.filter.arrays import BASE, OPENING, ROOMY, SPREAD, Hashes, Numbers, Points, Spans, Sums, Table, Text
from curate.filter.prose import stripped
from curate.scan.in_place import in_place

NEWLINE = 10
STEP, ONE, HALF = np.uint64(0xBF58476D1CE4E5B9), np.uint64(1), np.uint64(32)


class Border(NamedTuple):
    """What parts are cut at: runs of at least `least` line ends, of which `most` make one border. Without `blank`,
    parts of nothing but white space do not count."""

    least: int
    most: int
    blank: bool


LINES, PARAGRAPHS, FULL_LINES = Border(1, 1 << 30, True), Border(2, 1 << 30, True), Border(1, 1, False)


@in_place
def _bits(items: int) -> int:
    bits = 4
    while 1 << bits < ROOMY * items:
        bits += 1
    return bits


@in_place
def _emptied(keys: Hashes, items: int) -> np.uint64:
    """Empty as much of the table as some items need; returns by how many bits to shift a key to get its slot."""
    bits = _bits(items)
    for slot in range(1 << bits):
        keys[slot] = 0
    return np.uint64(64 - bits)


@in_place
def _slot(keys: Hashes, key: np.uint64, shift: np.uint64) -> np.uint64:
    """Where the key is, or the empty slot where it belongs."""
    last = (ONE << (np.uint64(64) - shift)) - ONE
    slot = key >> shift
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + ONE) & last
    return slot


@in_place
def _hash(points: Points, start: int, end: int, powers: Hashes) -> np.uint64:
    """The hash of some characters in a row; no product waits for another one."""
    total = np.uint64(0)
    for place in range(start, end):
        total += (np.uint64(points[place]) + ONE) * powers[end - 1 - place]
    return total * SPREAD


@in_place
def repeated_parts(
    text: Text, start: int, end: int, border: Border, newlines: int, sums: Sums, table: Table
) -> tuple[int, int, int]:
    """Parts between borders, how many came before, and the characters in those."""
    points, keys = text.points, table.keys
    least, most, blank = border
    if newlines < least:
        return int(blank or _has_text(text, start, end)), 0, 0
    shift = _emptied(keys, newlines + 1)
    parts = repeated = characters = 0
    place = first = start
    while place <= end:
        while place < end and points[place] != NEWLINE:
            place += 1
        run = 0
        while place + run < end and points[place + run] == NEWLINE and run < most:
            run += 1
        if place == end or run >= least:
            if blank or _has_text(text, first, place):
                key = _hash(points, first, place, sums.powers) | ONE
                slot = _slot(keys, key, shift)
                if keys[slot] == key:
                    repeated += 1
                    characters += place - first
                keys[slot] = key
                parts += 1
            first = place + run
        place += max(run, 1)
    return parts, repeated, characters


@in_place
def _has_text(text: Text, start: int, end: int) -> bool:
    start, end = stripped(text, start, end)
    return start < end


@in_place
def sum_up(text: Text, spans: Spans, count: int, sums: Sums) -> int:
    """Fill the sums over the opening's tokens, and `runs` with the tokens; returns how many those are."""
    points, hashes, powers = text.points, sums.hashes, sums.powers
    opening = min(count, OPENING)
    characters = 0
    for token in range(opening):
        before = hashes[characters]
        total = before
        for place in range(spans[0, token], spans[1, token]):
            total = total * BASE + (np.uint64(points[place]) + ONE) * SPREAD
            characters += 1
            hashes[characters] = total
        sums.runs[token] = total - before * powers[characters - sums.characters[token]]
        sums.characters[token + 1] = characters
    return opening


@in_place
def top_grams(sums: Sums, count: int, longest: int, table: Table, out: Numbers) -> None:
    """For each length from 2 to `longest` the characters in all copies of the most frequent n-gram, spaces between its
    tokens counted; the first of equally frequent ones. Where no n-gram repeats, no longer one does."""
    runs, characters = sums.runs, sums.characters
    most = 2
    for length in range(2, longest + 1):
        grams = count - length + 1
        out[length - 2] = 0
        if grams < 1:
            continue
        first = 0
        if most > 1:
            for token in range(grams):
                runs[token] = (runs[token] ^ (runs[token] >> HALF)) * STEP + runs[token + 1]
            most, first = _most(table, runs, grams)
        out[length - 2] = most * (characters[first + length] - characters[first] + length - 1)


@in_place
def _most(table: Table, keys: Hashes, number: int) -> tuple[int, int]:
    """How often the most frequent key occurs, and where first."""
    counts, firsts = table.counts, table.firsts
    shift = _emptied(table.keys, number)
    most, first = 1, 0
    for item in range(number):
        key = keys[item] | ONE
        slot = _slot(table.keys, key, shift)
        if table.keys[slot] != key:
            table.keys[slot], counts[slot], firsts[slot] = key, 1, item
            continue
        counts[slot] += 1
        if counts[slot] > most or (counts[slot] == most and firsts[slot] < first):
            most, first = counts[slot], firsts[slot]
    return most, first


@in_place
def recurring(sums: Sums, count: int, length: int, table: Table) -> int:
    """Fill `starts` with the tokens at which an n-gram of `length` tokens or more may begin that is there twice: those
    that begin with the same characters as another one, as many as the shortest n-gram has. Returns how many."""
    hashes, before, powers, starts = sums.hashes, sums.characters, sums.powers, sums.starts
    grams = count - length + 1
    if grams < 2:
        return 0
    shortest = before[length]
    for token in range(grams):
        shortest = min(shortest, before[token + length] - before[token])
        starts[token] = 0
    shift, power = _emptied(table.keys, grams), powers[shortest]
    for token in range(grams):
        key = (hashes[before[token] + shortest] - hashes[before[token]] * power) | ONE
        slot = _slot(table.keys, key, shift)
        if table.keys[slot] == key:
            starts[token] = starts[table.firsts[slot]] = 1
        else:
            table.keys[slot], table.firsts[slot] = key, token
    found = 0
    for token in range(grams):
        recurs = starts[token]
        starts[found] = token
        found += recurs
    return found


@in_place
def repeated_grams(sums: Sums, count: int, number: int, length: int, keys: Hashes) -> int:
    """Characters in n-grams that came before, from left to right, none counted twice; they begin at the first `number`
    of `starts`.

    N-grams are equal when their characters are, wherever these are cut, so a longer one may repeat where none does.
    """
    hashes, before, powers, starts = sums.hashes, sums.characters, sums.powers, sums.starts
    shift = _emptied(keys, number)
    free = characters = 0
    for start in range(number):
        token = starts[start]
        if token < free:
            continue
        if token > count - length:
            break
        first, end = before[token], before[token + length]
        key = (hashes[end] - hashes[first] * powers[end - first]) | ONE
        slot = _slot(keys, key, shift)
        if keys[slot] == key:
            characters += end - first
            free = token + length
        keys[slot] = key
    return characters
