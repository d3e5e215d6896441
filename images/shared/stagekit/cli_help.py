"""`--help`: every field of a stage's config with unit, range and default, from the config class itself."""

import json
from collections.abc import Iterator
from typing import Any

from contract.config.base import Config
from contract.stage import Stage
from contract.stages import stages_of

BOUNDS = {
    "minimum": ">= {}",
    "exclusiveMinimum": "> {}",
    "maximum": "<= {}",
    "exclusiveMaximum": "< {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "pattern": "matches {}",
}


def image_help(image: str) -> str:
    """The stages of an image."""
    lines = [f"usage: python -m {image} <stage> --config JSON|@file --input NAME=URI ... --output URI", "", "stages:"]
    lines += [f"  {stage.name:<14} {stage.doc}" for stage in stages_of(image)]
    return "\n".join([*lines, "", f"`python -m {image} <stage> --help` lists a stage's inputs and config."])


def stage_help(stage: Stage) -> str:
    """One stage: inputs, and every config field."""
    lines = [f"usage: python -m {stage.image} {stage.name} --config JSON|@file --input NAME=URI ... --output URI", ""]
    lines += [stage.doc, "", "inputs:"]
    lines += [f"  {port.name:<14} {port.doc}{_times(port.many, port.optional)}" for port in stage.inputs] or ["  none"]
    lines += ["", "config (JSON):"]
    lines += [
        f"  {name}\n      {doc} [{default}]{allowed}" for name, doc, default, allowed in config_fields(stage.config)
    ]
    lines += ["", "`--output` ending in / appends the dataset's key; `--print-config-schema` prints the JSON schema."]
    return "\n".join(lines)


def config_fields(config: type[Config]) -> list[tuple[str, str, str, str]]:
    """Dotted name, sentence, default and allowed values of every field, nested ones included."""
    schema = config.model_json_schema()
    return list(_walk(schema, schema.get("$defs", {}), ""))


def _walk(schema: dict[str, Any], definitions: dict[str, Any], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for name, field in schema.get("properties", {}).items():
        target = _target(field, definitions)
        nested, suffix = (
            (target, "") if "properties" in target else (_target(target.get("items", {}), definitions), "[]")
        )
        default = json.dumps(field["default"], ensure_ascii=False) if "default" in field else "required"
        if "properties" not in nested:
            yield prefix + name, field.get("description", ""), default, _allowed(field, target)
        else:
            shown = default if suffix or default in ("required", "null") else "see below"
            yield prefix + name, field.get("description", ""), shown, ""
            yield from _walk(nested, definitions, f"{prefix}{name}{suffix}.")


def _target(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """What a field really is, behind references and `| None`."""
    options = [option for option in field.get("anyOf", []) if option.get("type") != "null"]
    field = options[0] if options else field
    reference = field.get("$ref", "")
    return definitions[reference.rpartition("/")[2]] if reference else field


def _allowed(field: dict[str, Any], target: dict[str, Any]) -> str:
    if values := target.get("enum") or target.get("items", {}).get("enum"):
        return " one of " + ", ".join(str(value) for value in values)
    bounds = [text.format(target[bound]) for bound, text in BOUNDS.items() if bound in target]
    return " " + " and ".join(bounds) if bounds else ""


def _times(many: bool, optional: bool) -> str:
    return " (any number)" if many else " (optional)" if optional else ""
