"""ingest: read sources into documents."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import RowsConfig, Source

DocumentField = Literal["id", "title", "author", "url", "source", "license", "language", "created_at"]
Format = Literal["auto", "json", "jsonl", "csv", "parquet", "markdown", "html", "text"]


class IngestSource(Source):
    """One source of documents, and how its fields become a document's.

    A field that is not mapped comes from the record's key of that name. `id` alone does not: without a mapping it is a
    hash of the url, else of the file's name where a file is one record, else of source name and text.
    """

    name: str = Field("", max_length=80)
    """Kept in each document's `source` where no field is mapped to that; empty means the last part of the URI."""

    format: Format = "auto"
    """File format; `auto` goes by file ending. `.gz` and `.zst` are read as they are."""

    pattern: str = "**/*"
    """Which files of a folder to read, as a glob relative to it."""

    records_at: str = ""
    """JSON only: dotted path to the list of records inside the file's object, such as `artifact_data`."""

    text: list[str] = Field(["text"], min_length=1)
    """Fields that make up the text, as dotted paths (`content.body`, `content.*`); several are joined by `join`."""

    join: str = "\n\n"
    """What stands between joined text fields."""

    fields: dict[DocumentField, str] = {}
    """Where a document's other fields come from: document field -> dotted path (`author: author_full_name`)."""

    metadata: list[str] = []
    """Dotted paths copied into the document's metadata under their own name."""

    constants: dict[DocumentField, str] = {}
    """Document fields set to one value for the whole source, such as `license: MIT`."""

    @model_validator(mode="after")
    def _one_origin_each(self) -> Self:
        if "id" in self.constants:
            raise ValueError("constants give every document the same id")
        if both := sorted(self.fields.keys() & self.constants.keys()):
            raise ValueError(f"{', '.join(both)} stands under both `fields` and `constants`")
        return self


class IngestConfig(RowsConfig):
    """Reads sources of any format into one stream of documents."""

    sources: list[IngestSource] = Field(min_length=1)
    """Where documents come from, in the order in which they are read."""

    max_rejected: float = Field(0.10, ge=0, le=1)
    """Largest share of records that may be rejected (0 to 1) before the run fails."""

    max_row_bytes: int = Field(50_000_000, ge=1_000, le=2_000_000_000)
    """Largest record read (bytes, 1,000 to 2,000,000,000); a longer one is rejected."""
