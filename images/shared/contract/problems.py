"""Validation errors as sentences that name the field, what was found and what is allowed."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from contract.failures import BadConfig
from contract.redact import HIDDEN, names_secret, redacted

M = TypeVar("M", bound=BaseModel)


def parse_config(model: type[M], value: Any, where: str) -> M:
    """Validate a plain value against a model.

    Raises `BadConfig` with one clause per wrong field: its dotted name, the value found, what is allowed. Passwords in
    addresses and the values of fields named like a secret are shown as `***`.
    """
    if not isinstance(value, Mapping):
        raise BadConfig(f"found {_short(value)}", expected="a mapping of fields", where=where)
    if any("\0" in text for text in _texts(value)):
        raise BadConfig("a text holds the character NUL, which no file name and no database takes", where=where)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise BadConfig("; ".join(describe(item) for item in error.errors()), where=where, hint=_hint(error)) from None


def describe(item: Mapping[str, Any]) -> str:
    """One pydantic error as a clause."""
    field = ".".join(str(part) for part in item["loc"]) or "the whole"
    if item["type"] == "extra_forbidden":
        return f"unknown field `{field}`"
    if item["type"] == "missing":
        return f"`{field}` is missing"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "value_error" and not item["loc"]:  # about several fields, which it names
        return redacted(message)
    found = HIDDEN if names_secret(field) else _short(item["input"])
    return f"`{field}` is {found}: {redacted(message[:1].lower() + message[1:])}"


def _hint(error: ValidationError) -> str:
    unknown = any(item["type"] == "extra_forbidden" for item in error.errors())
    return "`--help` lists every field with its range" if unknown else ""


def _short(value: Any) -> str:
    text = redacted(json.dumps(_without_secrets(value), default=str, ensure_ascii=False))
    return text if len(text) <= 80 else text[:77] + "..."


def _texts(value: Any) -> Iterator[str]:
    """Every text in a plain value, keys included."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, Mapping):
            waiting += [*found, *found.values()]
        elif isinstance(found, list | tuple):
            waiting += found


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: HIDDEN if names_secret(str(name)) else _without_secrets(item) for name, item in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list | tuple) else value
