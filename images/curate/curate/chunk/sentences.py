"""Sentences of a text, by the rule that the LLM Engineer's Handbook uses (Iusztin & Labonne 2024, chapter 5)."""

import re

from curate.chunk.spans import Span, trimmed

SENTENCE_END = re.compile(r"(?<!\w\.\w.)(?<![A-Z][a-z]\.)(?<=[.?!])\s")
"""White space after . ? or !, but not after `e.g.` (letter, dot, letter, dot) or `Mr.` (capital, small letter, dot)."""


def sentences(text: str) -> list[Span]:
    """The text's sentences, in order, white space between them left out."""
    ends = [match.start() for match in SENTENCE_END.finditer(text)]
    spans = (trimmed(text, start, end) for start, end in zip([0, *ends], [*ends, len(text)], strict=True))
    return [span for span in spans if span.length > 0]
