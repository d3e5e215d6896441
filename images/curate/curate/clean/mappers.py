"""Mappers: text in, text out."""

import html
import re
from collections.abc import Callable, Sequence

import ftfy

from curate.markup import page_text

Mapping = Callable[[str], str]

FTFY = ftfy.TextFixerConfig(unescape_html=False)  # entities are the html mapper's work
LINE = re.compile(r"[^\n]*\n|[^\n]+")
MAY_NEED_FTFY = re.compile(r"[^\r\n\t -~]|\r(?!\n)")  # printable ASCII never does, and most text is that
WHOLE_PAGE = re.compile(r"<(?:!doctype html|html|body)\b", re.IGNORECASE)
CODE = re.compile(r"(^```.*?^```[^\n]*$|^~~~.*?^~~~[^\n]*$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
HIDDEN = re.compile(  # none begins inside another, which keeps unclosed ones from being searched again and again
    r"<!--(?:(?!<!--).)*?-->|<(script|style)\b[^<>]*>(?:(?!<(?:script|style)\b).)*?</\1\s*>",
    re.IGNORECASE | re.DOTALL,
)
BLOCK_TAG = re.compile(
    r"</?(?:p|div|br|hr|h[1-6]|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|section|article|blockquote|pre|figure|figcaption"
    r"|header|footer|nav|aside|main|iframe|form)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|big|button|center|cite|code|del|em|font|i|img|input|ins|kbd|label|mark|picture|q|s|small|source|span"
    r"|strike|strong|sub|sup|svg|path|td|th|time|tt|u|var|video|wbr)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")

LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
ODD_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")  # not the joiners U+200C and U+200D: scripts and emoji need them
INNER_SPACES = re.compile(r"(?<=\S)[ \t]{2,}(?=\S)")
BLANK_LINES = re.compile(r"\n{3,}")

NOT_PLAIN = re.compile(r"[^\w\s.,!?']")
SPACES = re.compile(r"\s+")


def unicode(text: str) -> str:
    """Mend mojibake, control characters, ligatures, curly quotes and half-width forms; compose to NFC (ftfy)."""
    lines = (ftfy.fix_text(line, FTFY) if MAY_NEED_FTFY.search(line) else line for line in LINE.findall(text))
    return "".join(lines).replace("\r\n", "\n")


def strip_html(text: str) -> str:
    """A page becomes its text; in other text, known tags go and entities are resolved, except in Markdown code."""
    if "<" not in text and "&" not in text:
        return text
    if WHOLE_PAGE.search(text, 0, 2_000):
        return page_text(text)
    parts = CODE.split(text)
    return "".join(part if number % 2 else _strip_fragment(part) for number, part in enumerate(parts))


def boilerplate(patterns: Sequence[str]) -> Mapping:
    """A mapper that removes the lines which one of the patterns is found in."""
    searches = [re.compile(pattern).search for pattern in patterns]

    def strip_lines(text: str) -> str:
        lines = text.split("\n")
        kept = [line for line in lines if not any(search(line) for search in searches)]
        return text if len(kept) == len(lines) else "\n".join(kept)

    return strip_lines


def whitespace(text: str) -> str:
    """One kind of line end and space, no invisible characters, no double spaces inside lines, one blank line at most.

    Indentation stays, for code's sake.
    """
    text = ODD_SPACES.sub(" ", INVISIBLE.sub("", LINE_ENDS.sub("\n", text)))
    text = "\n".join(line.rstrip(" \t") for line in INNER_SPACES.sub(" ", text).split("\n"))
    return BLANK_LINES.sub("\n\n", text).strip("\n").rstrip()


def plain(text: str) -> str:
    """Letters, digits, underscore, white space and . , ! ? ' only; any other character and any run of white space
    becomes one space; no space at either end."""
    return SPACES.sub(" ", NOT_PLAIN.sub(" ", text)).strip()


def mapper(name: str, patterns: Sequence[str]) -> Mapping:
    """The mapper of that name."""
    return boilerplate(patterns) if name == "boilerplate" else MAPPERS[name]


MAPPERS: dict[str, Mapping] = {"unicode": unicode, "html": strip_html, "whitespace": whitespace, "plain": plain}


def _strip_fragment(text: str) -> str:
    text = INLINE_TAG.sub("", BLOCK_TAG.sub("\n", HIDDEN.sub("", text)))
    return ENTITY.sub(lambda found: html.unescape(found[0]), text)
