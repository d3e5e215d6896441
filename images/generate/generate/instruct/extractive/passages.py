"""The passages of a chunk that can stand as answers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from generate.instruct.extractive.blocks import Block, blocks, plain
from generate.instruct.extractive.sentences import sentences

SHORTEST, IDEAL, LONGEST = 60, 300, 700
"""Characters of a passage of prose: fewer say too little, about so many are best, more are cut at a sentence."""
LONGEST_EXAMPLE = 1_200
"""Characters of a list or code example with its introduction."""
FEWEST_WORDS = 8
PLAIN_START = re.compile(r"[a-z][a-z'’-]*(?=[\s.,;:!?])|[,;:)\]]")
LEANING = re.compile(
    r"(?:It|They|This|These|Those|That|He|She|His|Her|Its|Their|Such|However|But|And|Or|So|Also|Therefore|Thus|Otherwise"
    r"|Moreover|Furthermore|Instead|Then|Hence|For example|In addition|As a result)\b"
)
FENCE_LINE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)


@dataclass(frozen=True)
class Passage:
    """A stretch of a chunk's text that answers something; `kind` says what it is made of."""

    kind: str
    start: int
    end: int
    heading: str | None = None
    opens: bool = False
    """Whether it is the first one under its heading."""

    @property
    def length(self) -> int:
        """Characters."""
        return self.end - self.start


def passages(text: str, wanted: int, title: str | None = None) -> list[Passage]:
    """At most `wanted` passages that do not overlap, the most telling ones, in the text's order."""
    found = [passage for passage in map(partial(_trimmed, text), _all(text)) if _is_telling(text, passage, title)]
    best = sorted(found, key=lambda passage: (-_worth(text, passage), passage.start))[:wanted]
    return _opening(sorted(best, key=lambda passage: passage.start))


def _opening(found: list[Passage]) -> list[Passage]:
    above = [None, *(passage.heading for passage in found)]
    return [replace(passage, opens=passage.heading != last) for passage, last in zip(found, above, strict=False)]


def _all(text: str) -> Iterator[Passage]:
    found = blocks(text)
    number = 0
    while number < len(found):
        block = found[number]
        after = found[number + 1] if number + 1 < len(found) else None
        if after and _introduces(text, block, after):
            yield from _prose(text, block)
            start = _introduction(text, block)
            yield Passage(after.kind, start, _last_item(text, start, after), block.heading)
            number += 1
        elif block.kind == "paragraph":
            yield from _prose(text, block)
        elif block.heading or block.kind == "list":
            yield Passage(block.kind, block.start, _last_item(text, block.start, block), block.heading)
        number += 1


def _introduces(text: str, block: Block, after: Block) -> bool:
    ends = text[block.start : block.end].rstrip().endswith(":")
    return ends and block.kind == "paragraph" and after.kind in ("list", "code")


def _introduction(text: str, block: Block) -> int:
    """Where the paragraph's last sentence starts, the one that ends in a colon."""
    spans = sentences(text, block.start, block.end)
    start = spans[-1][1] if spans else block.start
    return start + len(text[start : block.end]) - len(text[start : block.end].lstrip())


def _last_item(text: str, start: int, block: Block) -> int:
    """Where a passage that ends in a list ends: a long list is cut between two items."""
    if block.kind != "list" or block.end - start <= LONGEST_EXAMPLE:
        return block.end
    items = [match.start() for match in re.finditer(r"\n(?=[-*+•◦‣\d])", text[block.start : start + LONGEST_EXAMPLE])]
    return block.start + items[-1] if items else block.end


def _prose(text: str, block: Block) -> Iterator[Passage]:
    """Runs of whole sentences of about the ideal length."""
    start = end = None
    for first, last in sentences(text, block.start, block.end):
        if start is not None and end is not None and (last - start > LONGEST or end - start >= IDEAL):
            yield Passage("paragraph", start, end, block.heading)
            start = None
        start, end = (first if start is None else start), last
    if start is not None and end is not None:
        yield Passage("paragraph", start, end, block.heading)


def _trimmed(text: str, passage: Passage) -> Passage:
    """The passage without white space around it, but with the first line's indentation where it is code."""
    words = text[passage.start : passage.end]
    left = len(words) - len(words.lstrip("\n" if passage.kind == "code" else None))
    return replace(passage, start=passage.start + left, end=passage.start + len(words.rstrip()))


def _is_telling(text: str, passage: Passage, title: str | None) -> bool:
    answer = text[passage.start : passage.end]
    if passage.kind == "code" and len(FENCE_LINE.findall(answer)) % 2:
        return False  # the chunk ends, or began, inside the code
    words = plain(answer).split()
    longest = LONGEST if passage.kind == "paragraph" else LONGEST_EXAMPLE
    letters = sum(word[:1].isalpha() for word in words)
    spaced = len(words) >= FEWEST_WORDS or (passage.length >= SHORTEST and len(words) < passage.length / 20)
    prose = passage.kind != "paragraph" or (letters * 2 >= len(words) and not _is_midway(answer, title))
    return SHORTEST <= passage.length <= longest and spaced and prose


def _is_midway(answer: str, title: str | None) -> bool:
    """Whether a sentence's start is not there: it begins with a small letter and not with the name of its subject."""
    start = PLAIN_START.match(answer)
    return start is not None and start.group() not in re.findall(r"[\w'’-]+", (title or "").lower())


def _worth(text: str, passage: Passage) -> float:
    """Prose of the ideal length first; what leans on the sentence before it, or has no heading over it, last."""
    fit = min(passage.length, IDEAL) / IDEAL
    leans = LEANING.match(text, passage.start) is not None
    return (
        fit + 0.1 * (passage.kind == "paragraph") - 0.5 * leans - 0.4 * (passage.kind == "list" and not passage.heading)
    )
