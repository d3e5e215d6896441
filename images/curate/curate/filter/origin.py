"""What only samples can break."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from math import inf

import numpy as np

from curate.filter.rows import Check, Rows, Values, answers_of, failing, instructions_of, none_of, share

CANNOT, AM = r"(?:can(?:not|['’]t| not)|won['’]t)", r"i(?:['’]m| am)"
WORK = r"(?:assist|help|provide|answer|fulfil|comply|create|generate|write)"
REFUSAL = re.compile(
    r"\bas an? (?:ai|artificial intelligence)(?: language)? (?:model|assistant)\b"
    rf"|\b{AM} (?:sorry|afraid)\b[^.!?\n]{{0,60}}\b(?:{CANNOT}|unable)\b"
    rf"|\b{AM} (?:unable|not able) to {WORK}\b"
    rf"|\bi {CANNOT} {WORK}\b",
    re.IGNORECASE,
)
WORD = re.compile(r"\w+")
REFUSAL_WITHIN = 200  # characters: a refusal opens an answer; later in it, such words are about something else
SOURCE = re.compile(
    r"\b(?:the|this|that)\s+(?:(?:given|provided|above|following|attached|original|same)\s+)?"
    r"(?:extract|excerpt|article|passage|snippet|context(?!\s+of\b))\b"
    r"|\b(?:(?:given|provided|above)|(?:the|this)\s+following)\s+(?:text|document|paragraph|section|information)\b",
    re.IGNORECASE,
)


def _refusal(answer: str) -> str | None:
    found = REFUSAL.search(answer[:REFUSAL_WITHIN])
    return found[0] if found else None


def _source(instruction: str) -> str | None:
    found = SOURCE.search(instruction)
    return found[0] if found else None


refusal = none_of(_refusal, answers_of, "an answer")
"""The answer opens by declining to answer."""

mentions_source = none_of(_source, instructions_of, "an instruction that stands alone")
"""The instruction speaks of a text that whoever reads it will not have."""


def copied_share(rows: Rows) -> Values:
    """The longest run of words that instruction and answer share, as a share of the instruction's words."""
    pairs = zip(rows.instructions, rows.answers, strict=True)
    return np.fromiter((_copied(*pair) for pair in pairs), np.float64, len(rows))


def _copied(instruction: str, answer: str) -> float:
    asked, answered = WORD.findall(instruction.casefold()), WORD.findall(answer.casefold())
    longest = SequenceMatcher(None, asked, answered, autojunk=False).find_longest_match()
    return share(longest.size, len(asked))


def scores_reach(bounds: Mapping[str, float]) -> Check | None:
    """No score that a sample has may be below its bound; None where there are no bounds."""
    if not bounds:
        return None
    threshold = ", ".join(f"{name} {bound:g}" for name, bound in bounds.items())

    def low(scores: Mapping[str, float]) -> str | None:
        return next((f"{name} {scores[name]:g}" for name in bounds if scores.get(name, inf) < bounds[name]), None)

    return lambda rows: failing([low(scores) for scores in rows.scores], threshold)
