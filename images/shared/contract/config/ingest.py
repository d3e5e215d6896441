"""ingest: read sources into documents."""

import codecs
import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from contract.config.base import RUNTIME, Config, Pattern, RowsConfig, Source, Uri
from contract.config.expressions import Expression
from contract.uris import HUB, WEB, scheme_of

DocumentField = Literal["id", "title", "author", "url", "source", "license", "language", "created_at"]
Format = Literal["auto", "json", "jsonl", "csv", "parquet", "markdown", "html", "text", "pdf"]
HUB_NAME = re.compile(r"hub://[\w.-]+(?:/[\w.-]+)?")


class Web(Config):
    """How pages are fetched. Robots.txt is always honoured, and what did not change is not fetched again."""

    kind: Literal["auto", "page", "feed", "sitemap"] = "auto"
    """What stands at the address: a `page`, a `feed` (RSS, Atom) or a `sitemap` (also an index of them, or `.gz`) whose
    pages are read; `auto` goes by what the answer looks like."""

    contact: str = Field("", max_length=200)
    """A web or e-mail address at which the owner of a site can reach you; it is sent as part of the user agent."""

    include: Pattern = ""
    """Only pages whose address holds a match of this regular expression; empty means all."""

    exclude: Pattern = ""
    """No pages whose address holds a match of this regular expression; empty excludes none."""

    max_pages: int = Field(1_000, ge=1, le=1_000_000)
    """Most pages of the source (1 to 1,000,000); those listed first are taken."""

    keep_seen: bool = True
    """Keep pages that a feed or sitemap listed on an earlier night and lists no more, as long as they are served."""

    delay: float = Field(1.0, ge=0, le=60, json_schema_extra=RUNTIME)
    """Pause between two requests to one host (seconds, 0 to 60); a longer `Crawl-delay` in robots.txt wins."""

    timeout: float = Field(30.0, gt=0, le=600)
    """Longest time that one page may take (seconds, above 0, at most 600)."""

    max_bytes: int = Field(10_000_000, ge=1_000, le=1_000_000_000)
    """Largest page (bytes after decompression, 1,000 to 1,000,000,000); a longer one counts as failed."""

    max_failed: float = Field(0.1, ge=0, le=1)
    """Largest share of pages that may fail (0 to 1) before the run gives up for a later try."""

    reserved: Literal["drop", "record"] = "drop"
    """Pages whose owner reserves text and data mining (`tdm-reservation`, `noai`): drop them, or only record it in
    their metadata."""

    allow_private: bool = False
    """Also fetch from addresses that are not public: this machine, its network, link-local ones."""


class Hub(Config):
    """Which rows of a data set on the Hugging Face Hub are read; they are streamed, not downloaded first."""

    config: str = ""
    """Configuration (subset) of the data set; empty takes its default."""

    split: str = Field("train", min_length=1)
    """Split of the data set."""

    revision: str = "main"
    """Branch, tag or commit; the commit that it stands for is recorded with the dataset."""

    take: int | None = Field(None, ge=1)
    """Most rows read, from the first on (1 or more); null reads all."""


class IngestSource(Source):
    """One source of documents, and how its fields become a document's.

    A field that is not mapped comes from the record's key of that name. `id` alone does not: without a mapping it is a
    hash of the url, else of the file's name where a file is one record, else of source name and text. A licence that
    the record, the page or the folder's LICENSE file states becomes an SPDX identifier where it is known.
    """

    uri: Uri
    """File or folder (`s3://bucket/prefix`, `file:///path`, or a path relative to the store's root), a place on the web
    (`https://...`: a page, feed or sitemap), or a data set on the Hugging Face Hub (`hub://owner/name`)."""

    name: str = Field("", max_length=80)
    """Kept in each document's `source` where no field is mapped to that; empty means the last part of the URI."""

    format: Format = "auto"
    """File format; `auto` goes by file ending. `.gz`, `.zst`, `.bz2` and `.xz` are read as they are."""

    pattern: str = "**/*"
    """Which files of a folder to read, as a glob relative to it."""

    encoding: str = "utf-8"
    """Encoding of the bytes; `auto` guesses where they are not UTF-8, and guesses are sometimes wrong. What is used
    instead of UTF-8 stands in each document's metadata."""

    extract: Literal["main", "all"] = "main"
    """Pages: their `main` text without navigation and adverts, or `all` that a reader sees."""

    records_at: str = ""
    """JSON only: dotted path to the list of records inside the file's object, such as `artifact_data`."""

    text: list[Expression] = Field(["text"], min_length=1)
    """What makes up the text, as dotted paths (`content.body`, `content.*`) or templates (`"{title}: {body}"`, where an
    absent field leaves nothing); several are joined by `join`."""

    join: str = "\n\n"
    """What stands between joined text fields."""

    fields: dict[DocumentField, Expression] = {}
    """Where other fields come from: document field -> dotted path or template (`author: author_full_name`)."""

    metadata: list[str] = []
    """Dotted paths copied into the document's metadata under their own name."""

    constants: dict[DocumentField, str] = {}
    """Document fields set to one value for the whole source, such as `license: MIT`."""

    web: Web = Web()
    """How pages are fetched, for a source on the web."""

    hub: Hub = Hub()
    """What is read, for a source on the Hugging Face Hub."""

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        if encoding == "auto":
            return encoding
        try:
            b"".decode(encoding)
            return codecs.lookup(encoding).name
        except LookupError:
            raise ValueError("unknown encoding; expected `auto` or a codec's name such as `cp1252`") from None

    @model_validator(mode="after")
    def _one_origin_each(self) -> Self:
        if "id" in self.constants:
            raise ValueError("constants give every document the same id")
        if both := sorted(self.fields.keys() & self.constants.keys()):
            raise ValueError(f"{', '.join(both)} stands under both `fields` and `constants`")
        return self

    @model_validator(mode="after")
    def _fits_its_place(self) -> Self:
        scheme = scheme_of(self.uri)
        if scheme in WEB and not self.web.contact:
            raise ValueError("web.contact is empty; expected an address at which the site's owner can reach you")
        if scheme == HUB and not HUB_NAME.fullmatch(self.uri):
            raise ValueError(f"{self.uri!r} names no data set; expected hub://owner/name")
        if self.web != Web() and scheme not in WEB:
            raise ValueError("`web` is set; expected a uri that begins with https:// or http://")
        if self.hub != Hub() and scheme != HUB:
            raise ValueError("`hub` is set; expected a uri such as hub://owner/name")
        return self


class IngestConfig(RowsConfig):
    """Reads sources of any format into one stream of documents."""

    sources: list[IngestSource] = Field(min_length=1)
    """Where documents come from, in the order in which they are read."""

    max_rejected: float = Field(0.10, ge=0, le=1)
    """Largest share of records that may be rejected (0 to 1) before the run fails."""

    max_row_bytes: int = Field(50_000_000, ge=1_000, le=2_000_000_000)
    """Largest record read (bytes, 1,000 to 2,000,000,000); a longer one is rejected."""
