"""HTML pages as plain text, blocks on lines of their own."""

import re

from selectolax.lexbor import LexborHTMLParser

UNSEEN = ["script", "style", "noscript", "template", "svg", "iframe", "head"]
LINES = "br, div, li, tr, dt, dd, section, article, header, footer, nav, aside, main, figcaption, option"
PARAGRAPHS = "p, h1, h2, h3, h4, h5, h6, pre, ul, ol, dl, table, blockquote, figure, form, hr"
LINE, PARAGRAPH, CELL, OWN_SPACE, OWN_LINE = MARKS = "\x1c\x1d\x1e\x1f\x1a"
"""What stands for white space that must survive HTML's collapsing of it."""
UNMARKED = str.maketrans(dict.fromkeys(MARKS, " "))
VERBATIM = str.maketrans({" ": OWN_SPACE, "\n": OWN_LINE})
FINAL = str.maketrans({OWN_SPACE: " ", OWN_LINE: "\n"})


def page_text(html: str) -> str:
    """The text that a reader of the page sees: no scripts or styles, one blank line between paragraphs."""
    tree = LexborHTMLParser(html.translate(UNMARKED))
    tree.strip_tags(UNSEEN)
    if tree.body is None:
        return ""
    for node in tree.css("pre"):
        node.replace_with(_verbatim(node.text()))
    for selector, mark in ((LINES, LINE), (PARAGRAPHS, PARAGRAPH), ("td, th", CELL)):
        for node in tree.css(selector):
            node.insert_before(mark)
            node.insert_after(mark)
    text = re.sub(r"[ \t\n\r\f]+", " ", tree.body.text())
    text = re.sub(rf"[ {LINE}{CELL}]*{PARAGRAPH}[ {LINE}{CELL}{PARAGRAPH}]*", "\n\n", text)
    text = re.sub(rf"[ {CELL}]*{LINE}[ {LINE}{CELL}]*", "\n", text)
    return re.sub(rf" *{CELL}[ {CELL}]*", " ", text).strip("\n ").translate(FINAL)


def _verbatim(text: str) -> str:
    """Preformatted text, its own spaces and lines kept."""
    return PARAGRAPH + text.strip("\n").translate(VERBATIM) + PARAGRAPH
