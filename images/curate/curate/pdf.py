"""PDF files as running text, by PDFium: pages joined, page furniture left out, words and paragraphs mended."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIELDS = (("title", "Title"), ("author", "Author"), ("created_at", "CreationDate"), ("keywords", "Keywords"))
DATE = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")
BROKEN = re.compile("[\x02\ufffe]\\s*|\u00ad\\s*[\r\n]+")
"""What PDFium writes for a hyphen at the end of a line, the line's end included."""
SPLIT_WORD = re.compile(r"(?<!\w)(\w+)-$")
FULL = 0.7
"""A line of at least this share of the page's long lines (their 90th percentile) goes on in the next one."""
LONG_LINES = 0.9
ENDS = (".", "!", "?", ":", ".”", '."', "。", "！", "？")
ITEM = re.compile(r"(?:[-–•*▪◦]|\(?\d{1,3}[.)])\s")
NUMBER = re.compile(r"\d+|\b[ivxlc]+\b")
MOST_PAGES = 20_000
"""A small file may list one page a million times."""
REPEATS_FROM = 3
"""Pages on which a first or last line has to stand, numbers aside, to be taken for furniture; and half of all pages."""


class NotReadable(Exception):
    """A PDF that holds no text to be had; `rule` says why."""

    def __init__(self, rule: str, why: str) -> None:
        self.rule = rule
        super().__init__(why)


@dataclass(frozen=True)
class Pages:
    """The text of each page as PDFium gives it, and what the file says about itself."""

    texts: list[str]
    fields: dict[str, str]


def read_pages(path: Path) -> Pages:
    """All pages of a file. Raises `NotReadable` for encrypted, broken and scanned files."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise NotReadable("encrypted" if locked else "broken_record", str(error)) from None
    try:
        if len(document) > MOST_PAGES:
            raise NotReadable("too_intricate", f"{len(document):,} pages; expected {MOST_PAGES:,} at most")
        texts = [_page_text(document, number) for number in range(len(document))]
        about = document.get_metadata_dict(skip_empty=True)
    except pdfium.PdfiumError as error:
        raise NotReadable("broken_record", str(error)) from None
    finally:
        document.close()
    if not any(text.strip() for text in texts):
        raise NotReadable("no_text", f"{len(texts)} pages without text: a scan?")
    return Pages(texts, _fields(about))


def running_text(pages: list[str]) -> str:
    """Pages as one text: repeated first and last lines and page numbers out, split words and paragraphs whole again."""
    split = [_lines(text) for text in pages]
    furniture = _furniture(split)
    kept = [line for page in split for line in _without(page, furniture)]
    width = _width(kept)
    hyphenated = {match.lower() for line in kept for match in re.findall(r"\w+-\w+", line)}
    paragraphs: list[str] = []
    after: str | None = None
    for line in kept:
        if paragraphs and after is not None and _goes_on(after, line, width):
            paragraphs[-1] = _joined(paragraphs[-1], line, hyphenated)
        else:
            paragraphs.append(line)
        after = line
    return "\n\n".join(paragraphs)


def _page_text(document: Any, number: int) -> str:
    page = document[number]
    text_page = page.get_textpage()
    try:
        return str(text_page.get_text_bounded())
    finally:
        text_page.close()
        page.close()


def _fields(about: dict[str, str]) -> dict[str, str]:
    found = {field: about[name].strip() for field, name in FIELDS if about.get(name, "").strip()}
    if date := DATE.match(found.pop("created_at", "")):
        found["created_at"] = "-".join(part for part in date.groups() if part)
    return found


def _lines(text: str) -> list[str]:
    """Lines without their outer white space, a hyphen at the end of one written as such; blank ones left out."""
    whole = BROKEN.sub("-\n", text).replace("\u00ad", "")
    return [line.strip() for line in whole.splitlines() if line.strip()]


def _furniture(pages: list[list[str]]) -> set[str]:
    """First and last lines, numbers masked, that stand on most pages."""
    seen = Counter(_masked(line) for page in pages for line in {*page[:1], *page[-1:]})
    enough = max(REPEATS_FROM, len(pages) / 2)
    return {line for line, count in seen.items() if count >= enough}


def _without(page: list[str], furniture: set[str]) -> list[str]:
    start = int(bool(page) and _masked(page[0]) in furniture)
    end = len(page) - int(len(page) > start and _masked(page[-1]) in furniture)
    return page[start:end]


def _masked(line: str) -> str:
    return NUMBER.sub("0", line.lower())


def _width(lines: list[str]) -> int:
    return sorted(map(len, lines))[int(LONG_LINES * (len(lines) - 1))] if lines else 0


def _goes_on(line: str, following: str, width: int) -> bool:
    """Whether a paragraph's line goes on in the following one."""
    if ITEM.match(following):
        return False
    if SPLIT_WORD.search(line) and following[:1].islower():
        return True
    return len(line) >= FULL * width and not (line.endswith(ENDS) and len(line) < LONG_LINES * width)


def _joined(text: str, line: str, hyphenated: set[str]) -> str:
    """A line put to its paragraph. A hyphen at the break stays where the word is written with one elsewhere."""
    start, rest = SPLIT_WORD.search(text), re.match(r"\w+", line)
    if start is None or rest is None:
        return f"{text} {line}"
    stays = not line[0].islower() or f"{start[1]}-{rest[0]}".lower() in hyphenated
    return text + line if stays else text[:-1] + line
