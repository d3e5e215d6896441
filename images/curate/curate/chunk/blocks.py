"""Blocks of a Markdown text: headings, paragraphs, lists, tables, quotes and code, each whole."""

import re
from itertools import accumulate

from markdown_it import MarkdownIt

from curate.chunk.spans import Span, trimmed

LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")  # lines as markdown-it counts them
PARSER = MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])


def blocks(text: str) -> list[Span]:
    """The text's outermost blocks, in order; together they cover all of it but white space.

    A heading is one span with the block that it stands over, and says that it opens a section.
    """
    tokens = [token for token in PARSER.parse(text) if token.level == 0 and token.map and token.nesting >= 0]
    starts = [0, *accumulate(len(line) for line in LINE.findall(text))]
    begins = [(starts[token.map[0]], token.type == "heading_open") for token in tokens if token.map]
    units = _under_headings(begins) or [(0, False)]
    ends = [start for start, _ in units[1:]] + [len(text)]
    spans = (trimmed(text, start, end, opens) for (start, opens), end in zip(units, ends, strict=True))
    return [span for span in spans if span.length > 0]


def _under_headings(begins: list[tuple[int, bool]]) -> list[tuple[int, bool]]:
    """Starts of units: a block right under a heading belongs to the heading's unit; the first unit starts at 0."""
    units: list[tuple[int, bool]] = []
    previous_is_heading = False
    for start, is_heading in begins:
        if not previous_is_heading:
            units.append((start, is_heading))
        previous_is_heading = is_heading
    return [(0, opens) if number == 0 else (start, opens) for number, (start, opens) in enumerate(units)]
