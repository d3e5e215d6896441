"""Choices by hash: what is drawn follows from names alone, so that neither order nor other rows matter."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def point(*parts: object) -> float:
    """A number in [0, 1) that follows from the parts alone."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64


def drawn(weights: Mapping[str, float], *parts: object) -> str:
    """One name, each as likely as its weight says."""
    left = point(*parts) * sum(weights.values())
    for name, weight in weights.items():
        left -= weight
        if left < 0:
            return name
    return next(name for name, weight in reversed(list(weights.items())) if weight)


def one_of(items: Sequence[T], *parts: object) -> T:
    """One item, each as likely as any."""
    return items[int(point(*parts) * len(items))]
