"""What all stage configurations share."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, field_validator
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue

from contract.config.field_docs import field_docs
from contract.redact import redacted

RUNTIME: JsonDict = {"runtime": True}
"""Marks a field that changes how fast or where a stage runs but never its result; such fields stay out of the key."""

SHARD_ROWS = 50_000


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
"""A regular expression in Python's syntax."""


class Config(BaseModel):
    """Base of everything in a recipe: frozen, every number finite, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema with each field's sentence, read when a schema is asked for: most processes never do."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, sentence in cls.sentences().items():
            for shown in {name, cls.model_fields[name].alias} & properties.keys():
                properties[shown].setdefault("description", sentence)
        return schema

    @classmethod
    def sentences(cls) -> dict[str, str]:
        """What each field means."""
        return field_docs(owner for owner in reversed(cls.__mro__) if issubclass(owner, Config))


class StageConfig(Config):
    """Base of the configuration of one stage."""


class RowsConfig(StageConfig):
    """Base of the configuration of a stage that writes rows."""

    shard_rows: int = Field(SHARD_ROWS, ge=1, le=10_000_000, json_schema_extra=RUNTIME)
    """Rows per Parquet shard written (1 to 10,000,000)."""


Uri = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^\S(.*\S)?$")]
"""An address: one line without white space around it. An empty one would mean all that the store holds."""


class Source(Config):
    """A place outside the store's datasets to read from."""

    uri: Uri
    """File or folder: `s3://bucket/prefix`, `file:///path`, or a path relative to the store's root."""

    @field_validator("uri")
    @classmethod
    def _no_credentials(cls, uri: str) -> str:
        if redacted(uri) != uri:
            raise ValueError("an address holds a password, key or token; credentials come from the environment")
        return uri


class StoredDataset(Source):
    """A dataset of the store that a stage reads beside its inputs: its uri, or `.../latest` of published ones.

    With a `stage`, the nearest dataset that this stage made is meant, among the one named and all that it was made
    from; and of those the one whose config says `field`. An `optional` one may not be there yet.
    """

    stage: str = ""
    """Name of a stage, or empty for the dataset itself."""

    field: str = ""
    """The `field` of that stage's config."""

    optional: bool = False
    """Whether there may be nothing."""


class Table(Source):
    """A source of rows: JSON, JSON lines, CSV or Parquet, by file ending; `.gz` and `.zst` are read as they are."""

    records_at: str = ""
    """JSON only: dotted path to the list of rows inside the file's object, such as `data`."""


def versioned(config: Config) -> dict[str, Any]:
    """The part of a configuration that can change the result, as plain JSON values; it enters the dataset's key."""
    return {
        name: _plain(getattr(config, name))
        for name, field in type(config).model_fields.items()
        if not _is_runtime(field.json_schema_extra)
    }


def _is_runtime(extra: Any) -> bool:
    return isinstance(extra, dict) and bool(extra.get("runtime"))


def _plain(value: Any) -> Any:
    if isinstance(value, Config):
        return versioned(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
