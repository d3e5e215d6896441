"""Mappers: text in, text out."""

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ftfy
from ftfy.badness import BADNESS_RE
from ftfy.fixes import uncurl_quotes

from contract.config.clean import CleanConfig
from curate.clean.code import outside_code
from curate.clean.literals import SAME_LETTERS, needed
from curate.clean.markdown import markdown
from curate.markup import page_text
from curate.patterns import Expression
from curate.private.spans import PLACEHOLDER

Mapping = Callable[[str], str]


@dataclass(frozen=True)
class Mapper:
    """`change` makes a new text; `screen` (RE2) is found in every text that it would change, None promises nothing."""

    name: str
    change: Mapping
    screen: str | None = None


FTFY = ftfy.TextFixerConfig(unescape_html=False)  # entities are the html mapper's work
LINE = re.compile(r"[^\n]*\n|[^\n]+")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
QUOTES = re.compile("[\u02bc\u2018-\u201f]")
OTHER_CHANGES = re.compile(  # besides quotes, mojibake and what is not in NFC, all that ftfy's steps look for
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\u2028\u2029"
    "\u206a-\u206f\u3000\ufb00-\ufb06\ufeff\uff01-\uffef\ufff9-\ufffc\ud800-\udfff]"
)
MAY_BE_MOJIBAKE = re.compile(
    "[^\x00-\x7f](?:[^\x00-\x7f]|(?<=[\x80-\x9f\u0152\u0153\u00c2\u00c3]))(?:[\x00-\x7f]{0,8}[^\x00-\x7f]+)*"
)
"""In all that ftfy takes for mojibake: two characters beyond ASCII, or one of the few that it doubts alone."""
NEARBY = 8  # characters; what ftfy looks for is shorter, so that it need not look at the rest of a line
WHOLE_PAGE = re.compile(r"<(?:!doctype html|html|body)\b", re.IGNORECASE)
HIDDEN = re.compile(  # none begins inside another, which keeps unclosed ones from being searched again and again
    r"<!--(?:(?!<!--).)*?-->|<(script|style)\b[^<>]*>(?:(?!<(?:script|style)\b).)*?</\1\s*>",
    re.IGNORECASE | re.DOTALL,
)
BLOCK_TAG = re.compile(
    r"</?(?:p|div|br|hr|h[1-6]|ul|ol|li|dl|dt|dd|table|caption|colgroup|col|thead|tbody|tfoot|tr|section|article|blockquote|pre|figure|figcaption"
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
ODD_BEYOND_ASCII = re.compile("[\x85\u00a0\u00ad\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]")
ODD = "\r\x0b\x0c\x1c-\x1f\x85\u00a0\u00ad\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
"""All of these, and what else Python strips from the end of a text."""
INNER_SPACES = re.compile(r"  (?<=\S  ) *(?=\S)")  # begins with two letters, for which re searches fast
INNER_TABS = re.compile(r"[ \t](?<=\S[ \t])[ \t]+(?=\S)")
BLANK_LINES = re.compile(r"\n{3,}")

NOT_PLAIN = re.compile(r"[^\w.,!?']+")  # white space is among it


def unicode(text: str) -> str:
    """Mend mojibake, control characters, ligatures, curly quotes and half-width forms; compose to NFC (ftfy)."""
    if _needs_ftfy(text) or MAY_BE_MOJIBAKE.search(text):
        text = "".join(_mended(line) for line in LINE.findall(text))
    else:
        text = _straight(text)
    return text.replace("\r\n", "\n")


def strip_html(text: str) -> str:
    """A page becomes its text; in other text, known tags go and entities are resolved, except in Markdown code."""
    if "<" not in text and "&" not in text:
        return text
    if WHOLE_PAGE.search(text, 0, 2_000):
        return page_text(text)
    return outside_code(text, _strip_fragment)


def boilerplate(patterns: Sequence[str]) -> Mapping:
    """A mapper that removes the lines which one of the patterns is found in."""
    searches = [Expression(pattern, "boilerplate").search for pattern in patterns]

    def strip_lines(text: str) -> str:
        lines = text.split("\n")
        kept = [line for line in lines if not any(search(line) for search in searches)]
        return text if len(kept) == len(lines) else "\n".join(kept)

    return strip_lines


def whitespace(text: str) -> str:
    """One kind of line end and space, no invisible characters, no double spaces inside lines, one blank line at most.

    Indentation stays, for code's sake.
    """
    odd = not text.isascii() and ODD_BEYOND_ASCII.search(text)
    if odd:
        text = ODD_SPACES.sub(" ", INVISIBLE.sub("", text))
    if odd or "\r" in text or "\x0b" in text or "\x0c" in text:
        text = LINE_ENDS.sub("\n", text)
    if "\t" in text:
        text = INNER_TABS.sub(" ", text)
    elif "  " in text:
        text = INNER_SPACES.sub(" ", text)
    if " \n" in text or "\t\n" in text:
        text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    if "\n\n\n" in text:
        text = BLANK_LINES.sub("\n\n", text)
    return text.strip("\n").rstrip()


def plain(text: str) -> str:
    """Letters, digits, underscore, white space and . , ! ? ' only; any other character and any run of white space
    becomes one space; no space at either end."""
    return NOT_PLAIN.sub(" ", text).strip(" ")


def plain_but_placeholders(text: str) -> str:
    """`plain`, with placeholders such as `<EMAIL>` as they are."""
    kept = PLACEHOLDER.findall(text)
    if not kept:
        return plain(text)
    ends = [plain(part) for part in PLACEHOLDER.split(text)]
    return " ".join(part for pair in zip(ends, [*kept, ""], strict=True) for part in pair if part)


def mappers(config: CleanConfig) -> dict[str, Mapper]:
    """The mappers that need nothing but a text, by name, as a config has them."""
    private = {"secrets", "personal"} & set(config.mappers)
    keeps = bool(private) and config.placeholders.kept_by_plain
    made = (
        Mapper("unicode", unicode, r"[^\n\t -~]"),
        Mapper("html", strip_html, rf"<[/!]?[A-Za-z{SAME_LETTERS}]|<!--|&(?:[A-Za-z][A-Za-z0-9]*;|#)"),
        Mapper("markdown", markdown, r"[*_~\[|<>#`$\\=-]"),
        Mapper("boilerplate", boilerplate(config.boilerplate), needed(config.boilerplate)),
        Mapper("whitespace", whitespace, rf"[ \t]{{2}}|[ \t]\n|\n\n\n|^\n|\s\z|[{ODD}]"),
        Mapper("plain", plain_but_placeholders if keeps else plain, r"[^\w .,!?']|  |^ | \z"),
    )
    return {mapper.name: mapper for mapper in made}


def _mended(line: str) -> str:
    return ftfy.fix_text(line, FTFY) if _needs_ftfy(line) or is_mojibake(line) else _straight(line)


def is_mojibake(line: str) -> bool:
    """What `ftfy.badness.is_bad` says, whose expression costs fifty times as much a character as the one for doubts."""
    return any(
        BADNESS_RE.search(line, max(0, doubt.start() - NEARBY), doubt.end() + NEARBY)
        for doubt in MAY_BE_MOJIBAKE.finditer(line)
    )


def _needs_ftfy(text: str) -> bool:
    """Whether ftfy would do more than straighten quotes, mojibake aside."""
    if text.isascii():
        return CONTROLS.search(text) is not None
    return OTHER_CHANGES.search(text) is not None or not unicodedata.is_normalized("NFC", text)


def _straight(text: str) -> str:
    return uncurl_quotes(text) if QUOTES.search(text) else text


def _strip_fragment(text: str) -> str:
    text = INLINE_TAG.sub("", BLOCK_TAG.sub("\n", HIDDEN.sub("", text)))
    return ENTITY.sub(lambda found: html.unescape(found[0]), text)
