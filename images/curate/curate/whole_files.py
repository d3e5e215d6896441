"""Readers of files that are one record each: text, Markdown, a page, a PDF."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from contract.yaml_text import plain_yaml
from curate.encoding import decode, decode_page
from curate.found import (
    NO_FACTS,
    Found,
    Record,
    Rejected,
    SourceFile,
    bad_byte,
    encoding_fact,
    first_line,
    readable,
)
from curate.intricate import intricate_page, intricate_pdf
from curate.markup import page_text
from curate.pages import main_text, page_fields, reserves_rights
from curate.pdf import NotReadable, read_pages, running_text

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
HEADING = re.compile(r"^#{1,2}[ \t]+(\S[^\n]*)$", re.MULTILINE)


def read_text(file: SourceFile) -> Iterator[Record]:
    """The whole file is one record: `text`, `title` from the file's name, `file`."""
    data = _whole(file)
    text = data if isinstance(data, Rejected) else _decoded(file, data, decode)
    yield text if isinstance(text, Rejected) else _whole_file(file, {"text": text[0]}, encoding_fact(text[1]))


def read_markdown(file: SourceFile) -> Iterator[Record]:
    """The whole file is one record: front matter's keys, `text` after it, `title` from the first heading."""
    data = _whole(file)
    decoded = data if isinstance(data, Rejected) else _decoded(file, data, decode)
    if isinstance(decoded, Rejected):
        yield decoded
        return
    text = decoded[0].replace("\r\n", "\n")
    front = FRONT_MATTER.match(text)
    try:
        fields = plain_yaml(front[1]) if front else None
    except ValueError as error:
        yield Rejected(file.name, "broken_record", f"front matter: {first_line(error)}", row=text)
        return
    body = text[front.end() :] if front and isinstance(fields, dict) else text
    heading = HEADING.search(body)
    titled = {"title": _without_closing(heading[1])} if heading else {}
    about = titled | (fields if isinstance(fields, dict) else {})
    yield _whole_file(file, about | {"text": body}, encoding_fact(decoded[1]))


def read_html(file: SourceFile) -> Iterator[Record]:
    """The whole page is one record: its `text`, and what the page says about itself."""
    data = _whole(file)
    page = data if isinstance(data, Rejected) else _decoded(file, data, _page_decoder(file))
    if isinstance(page, Rejected):
        yield page
        return
    html, encoding = page
    if wrong := intricate_page(html):
        yield Rejected(file.name, "too_intricate", wrong, row=html[:1_000])
        return
    address = file.name if file.name.startswith(("http://", "https://")) else ""
    reserved = reserves_rights(html)
    text = main_text(html) if file.main_text else page_text(html)
    facts = {**encoding_fact(encoding), **({"reserved": reserved} if reserved else {})}
    yield _whole_file(file, page_fields(html, address) | {"text": text}, facts)


def read_pdf(file: SourceFile) -> Iterator[Record]:
    """The whole file is one record: `text` of all pages, `title`, `author`, `created_at` from its metadata, `pages`."""
    size = file.path.stat().st_size
    if size > file.limit:
        yield Rejected(file.name, "too_long", size, file.limit)
        return
    if wrong := intricate_pdf(file.path.read_bytes()):
        yield Rejected(file.name, "too_intricate", wrong)
        return
    try:
        pages = read_pages(file.path)
    except NotReadable as error:
        yield Rejected(file.name, error.rule, str(error))
        return
    yield _whole_file(file, pages.fields | {"pages": len(pages.texts), "text": running_text(pages.texts)})


def _whole(file: SourceFile) -> bytes | Rejected:
    with file.open() as stream:
        data = stream.read(file.limit + 1)
    if len(data) > file.limit:
        return Rejected(file.name, "too_long", f"over {file.limit}", file.limit, row=readable(data[:1_000]))
    return data


def _decoded(
    file: SourceFile, data: bytes, decoder: Callable[[bytes, str], tuple[str, str]]
) -> tuple[str, str] | Rejected:
    try:
        return decoder(data, file.encoding)
    except UnicodeDecodeError as error:
        return Rejected(file.name, "broken_encoding", bad_byte(error), row=readable(data))


def _page_decoder(file: SourceFile) -> Callable[[bytes, str], tuple[str, str]]:
    return lambda data, encoding: decode_page(data, file.charset, encoding)


def _whole_file(file: SourceFile, fields: dict[str, Any], facts: Mapping[str, str] = NO_FACTS) -> Found:
    stem = PurePath(file.name).name.partition(".")[0]
    return Found(file.name, {"title": stem, "file": file.name} | fields, file.name, facts)


def _without_closing(heading: str) -> str:
    """A Markdown heading's text without the number signs that may close it."""
    text = heading.rstrip()
    bare = text.rstrip("#")
    return bare.rstrip() if bare.endswith((" ", "\t")) else text
