"""What only samples can break, and licences."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from curate.filter.row import Check, Finding, Row, share

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


def refusal(row: Row) -> Finding | None:
    """The answer opens by declining to answer."""
    found = REFUSAL.search(row.answer[:REFUSAL_WITHIN])
    return Finding(found[0], "an answer") if found else None


def mentions_source(row: Row) -> Finding | None:
    """The instruction speaks of a text that whoever reads it will not have."""
    found = SOURCE.search(row.instruction)
    return Finding(found[0], "an instruction that stands alone") if found else None


def copied_share(row: Row) -> float:
    """The longest run of words that instruction and answer share, as a share of the instruction's words."""
    asked, answered = WORD.findall(row.instruction.casefold()), WORD.findall(row.answer.casefold())
    longest = SequenceMatcher(None, asked, answered, autojunk=False).find_longest_match()
    return share(longest.size, len(asked))


def licensed(allowed: Sequence[str] | None) -> Check | None:
    """The licence must be one of those allowed."""
    if allowed is None:
        return None
    folded = {license.casefold() for license in allowed}
    threshold = ", ".join(allowed)
    return lambda row: None if (row.license or "").casefold() in folded else Finding(row.license or "none", threshold)
