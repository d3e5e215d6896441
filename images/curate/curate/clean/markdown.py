"""Markdown as prose: what people read of it, without the marks. Code blocks, inline code and formulas stay."""

import re

from curate.clean.code import outside_blocks

# Expressions begin with what they consume and look behind after it: re then skips to where a match can begin.
KEPT = (
    ("\x1a", re.compile("\x1a")),  # stands for what is kept, so it is kept itself
    ("`", re.compile(r"`(?<![`\\]`)(?P<more>`*)(?!`)[^\n]*?(?<!`)`(?P=more)(?!`)")),  # inline code
    ("$", re.compile(r"\$\$.{1,4000}?\$\$|\$[^\s$][^$\n]*?(?<=\S)\$(?!\d)", re.DOTALL)),  # formulas
    ("\\", re.compile(r"\\\[.{1,4000}?\\\]|\\\(.{1,4000}?\\\)", re.DOTALL)),
    (
        "    ",
        INDENTED := re.compile(r"(?:\A|\n)(?: {4}|\t)(?![ \t]*(?:[-*+]|\d{1,9}[.)])[ \t])[^\n]*"),
    ),  # and no list item
    ("\t", INDENTED),
)
"""What is not touched, each with what to look for first."""
STASHED = re.compile(r"\x1a(\d+)\x1a")

DEFINITION = re.compile(
    r"^ {0,3}\[(?!\^)([^\]\n]{1,200})\]:[ \t]*<?\S+>?(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^)\n]*\)))?[ \t]*(?:\n|\Z)",
    re.MULTILINE,
)
TARGET = r"\(\s{0,4}<?(?:[^\s()<>]|\([^\s()]*\)){0,2000}>?(?:\s{1,4}(?:\"[^\"\n]*\"|'[^'\n]*'))?\s{0,4}\)"
IMAGE = re.compile(rf"!\[((?:[^\[\]\n]|\[[^\[\]\n]*\]){{0,1000}})\](?:{TARGET}|\[[^\]\n]*\])")
LINK = re.compile(rf"(?<!\\)\[((?:[^\[\]\n]|\[[^\[\]\n]*\]){{0,1000}})\]{TARGET}")
REFERENCE = re.compile(r"(?<!\\)\[([^\[\]\n]{1,1000})\](?: ?\[([^\[\]\n]{0,200})\])?")
AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^\s<>]+)>")
FOOTNOTE_MARK = re.compile(r"\[\^[^\]\s]{1,60}\](?!:)")
FOOTNOTE = re.compile(r"^ {0,3}\[\^[^\]\s]{1,60}\]:[ \t]*", re.MULTILINE)

HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$", re.MULTILINE)
UNDERLINE = re.compile(r"\n(?<=\S\n) {0,3}(?:=+|-{2,})[ \t]*$", re.MULTILINE)
RULE = re.compile(r"^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$\n?", re.MULTILINE)
QUOTE = re.compile(r"^ {0,3}(?:> ?)+", re.MULTILINE)
TASK = re.compile(r"^([ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+)\[[ xX]\][ \t]+", re.MULTILINE)
TABLE_RULE = re.compile(
    r"^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$|^[ \t]*\|[ \t]*:?-+:?[ \t]*\|[ \t]*$"
)
CELLS = re.compile(r"(?<!\\)\|")

STARS = (
    re.compile(r"\*{3}(?<![\\*]\*{3})(?=[^\s*])([^*\n]*?[^\s*\\])\*{3}(?!\*)"),
    re.compile(r"\*\*(?<![\\*]\*\*)(?=[^\s*])([^\n]*?[^\s*\\])\*\*(?!\*)"),
    re.compile(r"\*(?<![\\*\w]\*)(?=[^\s*])([^*\n]*?[^\s*\\])\*(?![*\w])"),
)
BARS = (
    re.compile(r"__(?<![\w\\]__)(?=[^\s_])([^\n]*?[^\s_\\])__(?!\w|[.(]\w|\()"),
    re.compile(r"_(?<![\w\\]_)(?=[^\s_])([^_\n]*?[^\s_\\])_(?!\w)"),
)
TILDES = (re.compile(r"~~(?<![\\~]~~)(?=[^\s~])([^~\n]*?[^\s~\\])~~(?!~)"),)
ESCAPE = re.compile(r"\\([*_#~`>|\[\]{}!+-])")


def markdown(text: str) -> str:
    """Markdown without its marks.

    Links and images leave their text, references lose their definitions, headings, quotes, emphasis, rules and task
    boxes their marks; a table's rows become lines of cells with commas between; list marks stay, since they are how
    prose shows a list. Code blocks, lines indented like code, inline code and formulas are not touched.
    """
    defined = {name.casefold() for name in DEFINITION.findall(text)} if "]:" in text else set()
    return outside_blocks(text, lambda part: _prose(part, defined))


def _prose(text: str, defined: set[str]) -> str:
    kept: list[str] = []

    def stash(found: re.Match[str]) -> str:
        line_end = "\n" if found[0].startswith("\n") else ""
        kept.append(found[0].removeprefix("\n"))
        return f"{line_end}\x1a{len(kept) - 1}\x1a"

    def restored(text: str) -> str:
        return STASHED.sub(lambda found: restored(kept[int(found[1])]), text)

    for sign, expression in KEPT:
        if sign in text:
            text = expression.sub(stash, text)
    text = _unmark(text, defined)
    return restored(text) if kept else text


def _unmark(text: str, defined: set[str]) -> str:
    if "|" in text:
        text = _flatten_tables(text)
    text = _blocks(text)
    if "[" in text or "<" in text:
        text = _links(text, defined)
    for sign, expressions in (("~~", TILDES), ("*", STARS), ("_", BARS)):
        if sign in text:
            for expression in expressions:
                text = expression.sub(r"\1", text)
    return ESCAPE.sub(r"\1", text) if "\\" in text else text


def _blocks(text: str) -> str:
    text = HEADING.sub(r"\1", RULE.sub("", UNDERLINE.sub("", text)))
    return TASK.sub(r"\1", QUOTE.sub("", text))


def _links(text: str, defined: set[str]) -> str:
    text = LINK.sub(r"\1", IMAGE.sub(r"\1", DEFINITION.sub("", text)))
    text = AUTOLINK.sub(r"\1", FOOTNOTE.sub("", FOOTNOTE_MARK.sub("", text)))
    if not defined:
        return text
    return REFERENCE.sub(lambda found: found[1] if _label(found) in defined else found[0], text)


def _label(found: re.Match[str]) -> str:
    return (found[2] or found[1]).casefold()


def _flatten_tables(text: str) -> str:
    """Tables need their rule below the header: a bar alone is no table."""
    lines = text.split("\n")
    rules = [place for place, line in enumerate(lines) if place and TABLE_RULE.match(line) and "|" in lines[place - 1]]
    for place in reversed(rules):
        last = next((n for n in range(place + 1, len(lines)) if "|" not in lines[n]), len(lines))
        rows = [_row(line) for line in lines[place - 1 : last] if line is not lines[place]]
        lines[place - 1 : last] = rows
    return "\n".join(lines)


def _row(line: str) -> str:
    cells = [cell.strip() for cell in CELLS.split(line.strip().strip("|"))]
    return ", ".join(cell for cell in cells if cell)
