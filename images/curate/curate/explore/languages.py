"""The languages of answers."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from curate.explore.draw import Drawn
from curate.language import identifier

LEAST = 0.5  # probability below which the model's guess is not told
UNSURE, WORDLESS = "(unsure)", "(no words)"


def languages(rows: Sequence[Drawn]) -> dict[str, Any]:
    """How many of these answers are in each language, by ISO 639 code, the most frequent first."""
    counted: Counter[str] = Counter()
    if rows:
        found = identifier()([row.answer for row in rows])
        for label, score in zip(found.labels, found.scores.tolist(), strict=True):
            counted[_name(label, score)] += 1
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    known = sum(name not in (UNSURE, WORDLESS) for name in counted)
    return {"sampled": len(rows), "known": known, "found": ranked}


def _name(label: str, score: float) -> str:
    if not label:
        return WORDLESS
    return label if score >= LEAST else UNSURE
