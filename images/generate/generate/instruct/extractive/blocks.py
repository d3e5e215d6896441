"""The blocks of a text: paragraphs, lists, code, headings; page furniture such as badges is left out."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["paragraph", "list", "code", "heading", "furniture", "blank"]

FENCE = re.compile(r"\s*(```|~~~)")
HEADING = re.compile(r"\s{0,3}#{1,6}\s+(?P<text>.+?)[\s#]*$")
UNDERLINE = re.compile(r"\s*([=\-~^\"'*+#`])\1{2,}\s*$")
ITEM = re.compile(r"\s*(?:[-*+•◦‣]|\d{1,3}[.)]|[a-z][.)])\s+\S")
CODE = re.compile(r"(?: {4}|\t)\s*\S|\s*(?:>>> |\.\.\. |\$ )")
QUOTE = re.compile(r"\s*>(?!>> )")
DIRECTIVE = re.compile(r"\s*\.\. (?P<code>(?:code|code-block|sourcecode|parsed-literal)::)?")
TABLE = re.compile(r"\s*(?:\||\+[-=]{2,})")
# What may stand on a line that says nothing: images, links round images, HTML tags, link targets, rules.
NOTHING = re.compile(
    r"!?\[(?:!\[[^\]]*\]\([^)]*\)|[^\]]*)\]\([^)]*\)|!\[[^\]]*\]\[[^\]]*\]|<[^>]+>|\[[^\]]+\]:\s*\S+|https?://\S+|:\w+:"
    r"|\|[^|\s]+\||[-=*_~|•·,.\s]+"
)
WORD = re.compile(r"\w")


@dataclass(frozen=True)
class Block:
    """A stretch of the text by its characters; `heading` is the last one above it."""

    kind: Kind
    start: int
    end: int
    heading: str | None = None


def blocks(text: str) -> list[Block]:
    """The text's blocks in order, furniture and headings left out."""
    found: list[Block] = []
    heading: str | None = None
    for kind, start, end in _joined(text):
        if kind == "heading":
            heading = plain(text[start:end].split("\n")[0].strip("# \t")).rstrip(":.") or heading
        elif kind not in ("furniture", "blank"):
            found.append(Block(kind, start, end, heading))
    return found


def plain(text: str) -> str:
    """Text without the marks of Markdown and reStructuredText: emphasis, code marks, links."""
    text = re.sub(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?", r"\1", text)
    text = re.sub(r"`([^`<]*?)\s*(?:<[^>`]*>)?`_{0,2}", r"\1", text)
    return " ".join(re.sub(r"[*`]+|(?<!\w)_+|_+(?!\w)|<[^>]+>", "", text).split())


def _joined(text: str) -> list[tuple[Kind, int, int]]:
    """Runs of lines of one kind; a list goes on over blank lines and over its indented lines."""
    runs: list[tuple[Kind, int, int]] = []
    for kind, start, end in _lines(text):
        last = runs[-1] if runs else None
        if last and kind == last[0] and kind != "heading":
            runs[-1] = (kind, last[1], end)
        elif last and kind == "list" and last[0] == "blank" and len(runs) > 1 and runs[-2][0] == "list":
            runs.pop()
            runs[-1] = ("list", runs[-1][1], end)
        else:
            runs.append((kind, start, end))
    return runs


def _lines(text: str) -> list[tuple[Kind, int, int]]:
    """Each line's kind and place, without its line break; an underline belongs to the heading above it."""
    found: list[tuple[Kind, int, int]] = []
    state, start = _State("```" if _starts_in_code(text) else ""), 0
    for line in text.split("\n"):
        end = start + len(line)
        before = found[-1][0] if found else "blank"
        if not state.fence and before == "paragraph" and UNDERLINE.match(line):
            found[-1] = ("heading", found[-1][1], end)
        else:
            found.append((state.inside(line) or _kind(line, before), start, end))
        start = end + 1
    return found


class _State:
    """Whether a line is inside something that an earlier line opened: a fence, or a directive's indented body."""

    def __init__(self, fence: str) -> None:
        self.fence = fence
        self.body: Kind | None = None

    def inside(self, line: str) -> Kind | None:
        """What an earlier line makes of this one; None where that is nothing."""
        mark = FENCE.match(line)
        if mark or self.fence:
            if mark:
                self.fence = "" if self.fence == mark.group(1) else self.fence or mark.group(1)
            return "code"
        if self.body and (line[:1] in " \t" or not line):
            return self.body if line.strip() else "blank"
        directive = DIRECTIVE.match(line)
        self.body = None if directive is None else "code" if directive["code"] else "furniture"
        return "furniture" if directive else None


def _starts_in_code(text: str) -> bool:
    """Whether the first fence closes code that began before the text: then a later closing one names a language."""
    fences = [line.strip() for line in text.split("\n") if FENCE.match(line)]
    return any(fence.strip("`~") for fence in fences[1::2])


def _kind(line: str, before: Kind) -> Kind:
    if not line.strip():
        return "blank"
    if HEADING.match(line):
        return "heading"
    if QUOTE.match(line) or TABLE.match(line) or not WORD.search(NOTHING.sub("", line)):
        return "furniture"
    if ITEM.match(line) or (before == "list" and line[0] in " \t"):
        return "list"
    if CODE.match(line) and before in ("blank", "code"):
        return "code"
    return "paragraph"
