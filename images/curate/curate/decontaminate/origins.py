"""Rows that come from where evaluations come from: by web domain, by source, by licence."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa

from contract.config.decontaminate import Origins


class Origin(NamedTuple):
    """What a row's origin is, and the entry of the list that names it."""

    value: str
    listed: str


def origins_of(batch: pa.RecordBatch, config: Origins) -> dict[int, Origin]:
    """The rows of a batch that come from a listed place, by row number; the first list that names a row counts."""
    found: dict[int, Origin] = {}
    for column, listed in (
        ("url", _listed_domain(config.domains)),
        ("source", _listed_name(config.sources)),
        ("license", _listed_name(config.licenses)),
    ):
        if listed and column in batch.schema.names:
            for row, origin in _of_column(batch.column(column), listed).items():
                found.setdefault(row, origin)
    return found


Look = Callable[[str], str | None]


def _of_column(column: pa.Array, listed: Look) -> dict[int, Origin]:
    """Looks at each different value once: a batch of rows has few sources and licences."""
    encoded = column.dictionary_encode()
    named = {
        place: Origin(value, entry)
        for place, value in enumerate(encoded.dictionary.to_pylist())
        if value and (entry := listed(value))
    }
    if not named:
        return {}
    return {row: named[place] for row, place in enumerate(encoded.indices.to_pylist()) if place in named}


def _listed_name(names: list[str]) -> Look | None:
    folded = {name.casefold(): name for name in names}
    return (lambda value: folded.get(value.casefold())) if names else None


def _listed_domain(domains: list[str]) -> Look | None:
    """A domain stands for its subdomains too."""
    folded = {domain.casefold().strip("."): domain for domain in domains}

    def listed(url: str) -> str | None:
        parts = _host(url).split(".")
        return next((folded[name] for i in range(len(parts)) if (name := ".".join(parts[i:])) in folded), None)

    return listed if domains else None


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").casefold().rstrip(".")
    except ValueError:  # a bracket that is no IPv6 address
        return ""
