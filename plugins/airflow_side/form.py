"""The trigger form of a DAG, made from the schema of its recipe: one typed field for each scalar of each section, and
for each list of numbers.

The fields that most runs change come first; the UI shows the others in one folded section per part of the recipe.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from airflow.sdk import Param

from airflow_side.flow import Flow

ESSENTIAL = (
    *("limits.money", "limits.tokens", "instruct.provider", "instruct.model", "instruct.base_url", "instruct.pairs"),
    *("chunk.minimum", "chunk.maximum"),
    *("training.base_model", "training.method", "training.learning_rate", "learning_rates"),
    *("training.epochs", "training.max_length"),
)
FIXED = {
    *("name", "title", "owner", "schedule", "on_empty", "limits.minutes", "finetune"),
    *("publish_approval_hours", "register.approved_by"),
}
"""What belongs to the DAG, not to one run of it."""

TYPES = {"string", "integer", "number", "boolean"}
BOUNDS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern", "enum"),
    *("items", "maxItems"),
)


def trigger_form(flow: Flow) -> dict[str, Param]:
    """Parameter name (dotted path into the recipe) -> typed form field, essential ones first."""
    schema = type(flow.root).model_json_schema(by_alias=True)
    fields = dict(_fields(schema, schema["$defs"], flow.root.model_dump(mode="json", by_alias=True)))
    order = [name for name in ESSENTIAL if name in fields] + [name for name in fields if name not in ESSENTIAL]
    return {name: _param(name, fields[name]) for name in order}


Field = tuple[Mapping[str, Any], Any]
"""The JSON schema of a field, and its value in the recipe."""


def _fields(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], values: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Field]]:
    for key, value in values.items():
        name = f"{prefix}{key}"
        field = _resolved(schema["properties"][key], definitions)
        if name in FIXED or (prefix and key == "limits"):  # a stage is told the recipe's own limits
            continue
        if isinstance(value, Mapping) and "properties" in field:
            yield from _fields(field, definitions, value, f"{name}.")
        elif _types(field) or _holds_numbers(field):
            yield name, (field, value)


def _resolved(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A field's schema with its references followed, and `X or null` folded into one schema of two types."""
    whole = {**field, **definitions[field["$ref"].rpartition("/")[2]]} if "$ref" in field else dict(field)
    choices = [_resolved(choice, definitions) for choice in whole.pop("anyOf", [])]
    some = [choice for choice in choices if choice.get("type") != "null"]
    if len(some) != 1:
        return whole
    folded = {**some[0], **whole}
    if some[0].get("type") not in TYPES:
        return folded
    allowed = {"enum": [*folded["enum"], None]} if "enum" in folded else {}
    return folded | {"type": ["null", some[0]["type"]]} | allowed


def _types(field: Mapping[str, Any]) -> set[str]:
    """The scalar types of a field; empty for lists and mappings."""
    kinds = field.get("type", [])
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    return found if found - {"null"} and found <= TYPES | {"null"} else set()


def _holds_numbers(field: Mapping[str, Any]) -> bool:
    """Whether a field is a list of numbers."""
    return field.get("type") == "array" and field.get("items", {}).get("type") == "number"


def _param(name: str, field: Field) -> Param:
    schema, value = field
    section, _, rest = name.rpartition(".")
    extra: dict[str, Any] = {} if name in ESSENTIAL else {"section": _words(section or rest)}
    empty = value in ("", [])  # the UI takes an empty text for a missing one, and would let nobody trigger the run
    kind = schema["type"]
    return Param(
        None if empty else value,
        description_md=schema.get("description", ""),
        title=_words(name if name in ESSENTIAL else rest),
        type=["null", kind] if empty or kind == "array" else kind,
        **{bound: schema[bound] for bound in BOUNDS if bound in schema},
        **extra,
    )


def _words(path: str) -> str:
    return path.replace("_", " ").replace(".", ": ")
