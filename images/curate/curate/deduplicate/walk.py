"""Kernels: sort rows into buckets, and walk them best first, comparing each with kept rows only."""

import numpy as np

from curate.deduplicate.near import KEPT, Desk
from curate.scan.arrays import F64s, I32s, I64s, U8s, U64s
from curate.scan.compiled import compiled
from curate.scan.sets import NOTHING, slots_for
from curate.scan.words import FACTOR, mixed

SLACK = 1e-6  # 0.7 * 30 may come out above 21
RANK = np.uint64(0xFFFFFFFF)
HALF, DIGIT = np.uint64(32), np.uint64(2047)


@compiled
def keys_of(signatures: U8s, rows: I64s, begin: int, width: int, keys: U64s) -> None:
    """Each row's bands from function `begin` on as 32-bit hashes, with the row's place in the lower half.

    A band is `width` functions; `keys` has shape `(bands, len(rows))`.
    """
    for place in range(len(rows)):
        for band in range(len(keys)):
            key = np.uint64(begin)
            for function in range(begin + band * width, begin + band * width + width):
                key = (key ^ np.uint64(signatures[rows[place], function])) * FACTOR
            keys[band, place] = mixed(key) & ~RANK | np.uint64(place)


@compiled
def sort_keys(keys: U64s, room: U64s, starts: I64s) -> None:
    """Sort the keys by their upper halves into `room`: a radix sort, three times eleven bits.

    `keys` are in disorder then; `starts` is room for a number per digit, and one more.
    """
    for shift in range(32, 65, 11):
        starts[:] = 0
        for key in keys:
            starts[np.int64(key >> np.uint64(shift) & DIGIT) + 1] += 1
        for before in range(len(starts) - 1):
            starts[before + 1] += starts[before]
        for key in keys:
            digit = np.int64(key >> np.uint64(shift) & DIGIT)
            room[starts[digit]] = key
            starts[digit] += 1
        keys, room = room, keys


@compiled
def number_buckets(keys: U64s, own: I32s, band: int, sizes: I32s) -> int:
    """Number the groups of two or more equal keys, which are sorted by them.

    `own[place, band]` receives each place's group or -1, `sizes` the members of each group. Returns the number of
    groups.
    """
    count, start = 0, 0
    for at in range(1, len(keys) + 1):
        if at < len(keys) and keys[at] >> HALF == keys[start] >> HALF:
            continue
        many = at - start > 1
        for member in range(start, at):
            own[keys[member] & RANK, band] = count if many else -1
        if many:
            sizes[count] = at - start
            count += 1
        start = at
    return count


@compiled
def related_of(own: I32s, bases: I64s, settled: U8s, live: U8s, related: I64s) -> int:
    """Write the nodes of the buckets that have a member that is not settled; returns how many they are.

    `live` has a zero for each bucket.
    """
    for node in range(len(own)):
        for band in range(own.shape[1]):
            if not settled[node] and own[node, band] >= 0:
                live[bases[band] + own[node, band]] = 1
    count = 0
    for node in range(len(own)):
        for band in range(own.shape[1]):
            if own[node, band] >= 0 and live[bases[band] + own[node, band]]:
                related[count] = node
                count += 1
                break
    return count


@compiled
def matches(signatures: U8s, left: int, right: int) -> int:
    """In how many places two signatures are equal."""
    count = 0
    for function in range(signatures.shape[1]):
        count += signatures[left, function] == signatures[right, function]
    return count


@compiled
def shared(values: U64s, start: int, end: int, slots: U64s, missing: int) -> int:
    """How many of some values are in a hash table; -1 as soon as more than `missing` are not."""
    last, found = np.uint64(len(slots) - 1), 0
    for number in range(start, end):
        slot = values[number] & last
        while slots[slot] != NOTHING and slots[slot] != values[number]:
            slot = slot + np.uint64(1) & last
        if slots[slot] == NOTHING:
            missing -= 1
            if missing < 0:
                return -1
        else:
            found += 1
    return found


@compiled
def fill_slots(slots: U64s, values: U64s, start: int, end: int) -> None:
    """Make of `slots` a hash table of some distinct values."""
    slots[:] = NOTHING
    last = np.uint64(len(slots) - 1)
    for number in range(start, end):
        slot = values[number] & last
        while slots[slot] != NOTHING:
            slot = slot + np.uint64(1) & last
        slots[slot] = values[number]


@compiled
def jaccard_of(size: int, other: int, start: int, values: U64s, slots: U64s, threshold: float) -> float:
    """Jaccard similarity of a set of `size` values, in a hash table, with one of `other` values; 0 if too small."""
    least = int(np.ceil(threshold / (1 + threshold) * (size + other) - SLACK))
    common = shared(values, start, start + other, slots, other - least)
    return common / (size + other - common) if common > 0 else 0.0


@compiled
def possible(node: int, other: int, signatures: U8s, rows: I64s, sizes: I64s, threshold: float, alike: int) -> bool:
    """Whether two nodes may reach the threshold: by their sizes, then by at least `alike` equal places."""
    small, large = min(sizes[node], sizes[other]), max(sizes[node], sizes[other])
    return small >= threshold * large - SLACK and matches(signatures, rows[node], rows[other]) >= alike


@compiled
def neighbours(
    node: int, own: I32s, bases: I64s, starts: I64s, members: I32s, filled: I32s, seen: I32s, found: I32s
) -> int:
    """Write the kept nodes that share a bucket with a node into `found`, each once; returns how many they are."""
    count = 0
    for band in range(len(own)):
        if own[band] < 0:
            continue
        bucket = bases[band] + own[band]
        for at in range(starts[bucket], starts[bucket] + filled[bucket]):
            other = members[at]
            if seen[other] != node:
                seen[other] = node
                found[count] = other
                count += 1
    return count


@compiled
def enter(node: int, own: I32s, bases: I64s, starts: I64s, members: I32s, filled: I32s) -> None:
    """Put a kept row into its buckets; in a full one it takes the last place."""
    for band in range(len(own)):
        if own[band] < 0:
            continue
        bucket = bases[band] + own[band]
        room = starts[bucket + 1] - starts[bucket]
        filled[bucket] = min(filled[bucket] + 1, room)
        members[starts[bucket] + filled[bucket] - 1] = node


@compiled
def walk(
    own: I32s,
    bases: I64s,
    starts: I64s,
    members: I32s,
    filled: I32s,
    settled: U8s,
    signatures: U8s,
    rows: I64s,
    sizes: I64s,
    places: I64s,
    values: U64s,
    threshold: float,
    alike: int,
    desk: Desk,
    partner: I64s,
    similarity: F64s,
) -> int:
    """Walk nodes best first: a node goes when a kept one of its buckets is its duplicate, else it stays.

    A node that goes never enters a bucket, so a walk over the survivors alone makes the same comparisons again and
    drops nothing. Nodes that are `settled` stay without comparison. `partner` receives the most similar kept node, the
    better one of equals, or `KEPT`. Returns how many pairs were compared by their sets; `desk.proposed` receives how
    many shared a bucket.
    """
    proposed, compared, found = 0, 0, desk.found
    for node in range(len(rows)):
        partner[node], similarity[node] = KEPT, 1.0
        count = 0 if settled[node] else neighbours(node, own[node], bases, starts, members, filled, desk.seen, found)
        proposed += count
        slots, empty = slots_for(desk.slots, sizes[node]), True
        for number in range(count):
            other = found[number]
            if not possible(node, other, signatures, rows, sizes, threshold, alike):
                continue
            if empty:
                fill_slots(slots, values, places[node], places[node] + sizes[node])
                empty = False
            compared += 1
            value = jaccard_of(sizes[node], sizes[other], places[other], values, slots, threshold)
            better = value > similarity[node] or (value == similarity[node] and other < partner[node])
            if value >= threshold and (partner[node] == KEPT or better):
                partner[node], similarity[node] = other, value
        if partner[node] == KEPT:
            enter(node, own[node], bases, starts, members, filled)
    desk.proposed[0] = proposed
    return compared
