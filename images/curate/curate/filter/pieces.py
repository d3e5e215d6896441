"""Pieces of text with rules of their own: abbreviations, units, two words in one."""

import numpy as np

from curate.filter.arrays import BASE, KNOWN_SLOTS, Hashes, Known, Points
from curate.scan.in_place import in_place

LONGEST_KNOWN = 8
EIGHT, LAST_ASCII = np.uint64(8), np.uint64(0x7F)
PERIOD, ELLIPSIS, COMMA, COLON, PLUS, AT, SLASH, QUESTION, HASH = map(ord, ".…,:+@/?#")
PERCENT, SQUARED, MINUS, CAPITAL_S = map(ord, "%²-S")
A, C, D, E, G, L, M, N, R, S, T, V = map(ord, "acdeglmnrstv")


@in_place
def learn(rules: Known, piece: Points, cut: int) -> None:
    """Enter a piece and its rule."""
    key = _packed(piece, 0, len(piece))
    slot = _slot(rules.keys, key)
    rules.keys[slot] = key
    rules.cuts[slot] = cut


@in_place
def _packed(points: Points, start: int, end: int) -> np.uint64:
    """Up to 8 ASCII characters in one number; 0 for others and behind a null, which no known piece has."""
    key = seen = np.uint64(0)
    for place in range(start, end):
        point = np.uint64(points[place])
        seen |= point
        key = key << EIGHT | point
    return key if seen <= LAST_ASCII and points[start] else np.uint64(0)


@in_place
def _slot(keys: Hashes, key: np.uint64) -> int:
    slot = np.int64(key * BASE >> np.uint64(54))
    while keys[slot] != np.uint64(0) and keys[slot] != key:
        slot = (slot + 1) % KNOWN_SLOTS
    return int(slot)


@in_place
def cut_of(points: Points, start: int, end: int, rules: Known) -> int:
    """The rule for a known piece, or -2."""
    if end - start > LONGEST_KNOWN:
        return -2
    key = _packed(points, start, end)
    slot = _slot(rules.keys, key)
    return rules.cuts[slot] if key and rules.keys[slot] == key else -2
