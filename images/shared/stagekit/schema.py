"""Records as Arrow: the schema of a record type, and rows to batches and back."""

import types
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import orjson
import pyarrow as pa
from pydantic import BaseModel

from contract.records import LedgerEntry, Record

R = TypeVar("R", bound=BaseModel)
SCALARS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def arrow_schema(record: type[BaseModel]) -> pa.Schema:
    """The Parquet columns of a record type, in field order; dict fields become JSON text."""
    return pa.schema([pa.field(name, _arrow_type(field.annotation)) for name, field in record.model_fields.items()])


def to_batch(rows: Iterable[BaseModel], record: type[BaseModel]) -> pa.RecordBatch:
    """Rows as one Arrow batch of the record's schema."""
    encode = _json_fields(record)
    values = [row.model_dump() for row in rows]
    for value in values:
        for name in encode:
            value[name] = orjson.dumps(value[name], option=orjson.OPT_SORT_KEYS).decode()
    return pa.RecordBatch.from_pylist(values, schema=arrow_schema(record))


def ledger_batch(columns: Mapping[str, Any]) -> pa.RecordBatch:
    """Ledger entries from one sequence per column, all as long as each other."""
    schema = arrow_schema(LedgerEntry)
    arrays = [
        values if isinstance(values := columns[field.name], pa.Array) else pa.array(values, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def to_rows(batch: pa.RecordBatch, record: type[R]) -> list[R]:
    """An Arrow batch as rows. Values are trusted: they were validated when written, and shards carry checksums."""
    decode = _json_fields(record)
    values = batch.to_pylist()
    for value in values:
        for name in decode & value.keys():
            value[name] = orjson.loads(value[name])
    return [record.model_validate(value) for value in values]


def columns_of(schema: pa.Schema) -> dict[str, str]:
    """Column names and types as text, for the manifest."""
    return {field.name: str(field.type) for field in schema}


def row_ids(batch: pa.RecordBatch) -> list[str]:
    """The ids of a batch's rows."""
    ids: list[str] = batch.column("id").to_pylist()
    return ids


def rows_as_json(batch: pa.RecordBatch) -> list[str]:
    """Each row of a batch as JSON text, as the ledger keeps it."""
    return [orjson.dumps(row).decode() for row in batch.to_pylist()]


def same_record(record: type[Record], schema: pa.Schema) -> bool:
    """Whether stored columns are those of a record type."""
    return columns_of(arrow_schema(record)) == columns_of(schema)


def _json_fields(record: type[BaseModel]) -> set[str]:
    return {name for name, field in record.model_fields.items() if _core(field.annotation)[0] is dict}


def _core(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The annotation without `| None`, as (origin or type, arguments)."""
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = [part for part in get_args(annotation) if part is not types.NoneType]
    return get_origin(annotation) or annotation, get_args(annotation)


def _arrow_type(annotation: Any) -> pa.DataType:
    core, arguments = _core(annotation)
    if core is Literal:
        return SCALARS[type(arguments[0])]
    if core is list:
        return pa.list_(_arrow_type(arguments[0]))
    if core is dict:
        return pa.string()
    if isinstance(core, type) and issubclass(core, BaseModel):
        return pa.struct(list(arrow_schema(core)))
    return SCALARS[core]
