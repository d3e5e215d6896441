"""How random a value looks."""

import math
from collections import Counter


def entropy(value: str) -> float:
    """Shannon entropy of a text's characters, in bits per character; 0 for an empty one."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values()) if total else 0.0
