"""Take passages out of a text that are given by the numbers of its words."""

import re
from collections.abc import Iterable, Sequence

WORD = re.compile(r"\w+")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each word of a text begins and ends, in characters; the words are those of `curate.shingles.words`."""
    lowered = text.lower()
    spans = [found.span() for found in WORD.finditer(lowered)]
    if len(lowered) == len(text):
        return spans
    origin = [place for place, character in enumerate(text) for _ in character.lower()]
    return [(origin[start], origin[end - 1] + 1) for start, end in spans]


def cut(text: str, passages: Iterable[tuple[int, int]]) -> str:
    """The text without its words from `start` to before `end` of each passage, and without the marks between them.

    What separates the passage's last word from the next one goes too, up to the last white space; a line's end in it
    stays.
    """
    spans, parts, at = word_spans(text), [], 0
    for start, end in merged(passages):
        parts.append(text[at : spans[start][0]])
        at = spans[end - 1][1]
        following = spans[end][0] if end < len(spans) else len(text)
        gap = text[at:following]
        kept = next((place for place in range(len(gap), 0, -1) if gap[place - 1].isspace()), 0)
        if "\n" in gap[:kept] and parts[-1].strip() and not parts[-1].endswith("\n"):
            parts.append("\n")
        at += kept if end < len(spans) else len(gap)
    return "".join([*parts, text[at:]]).strip()


def merged(passages: Iterable[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """Passages in order, overlapping and adjoining ones as one."""
    whole: list[tuple[int, int]] = []
    for start, end in sorted(passages):
        if whole and start <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(end, whole[-1][1])
        else:
            whole.append((start, end))
    return whole
