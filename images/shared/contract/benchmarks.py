"""Ready entries of well-known benchmarks: the fields of their files by name, from `benchmarks.yaml`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

CATALOGUE = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Entry:
    """One benchmark: what it is, its id on the Hugging Face hub, its licence, and dotted paths of its texts."""

    title: str
    hub: str
    license: str
    fields: tuple[str, ...]
    question: tuple[str, ...]
    answer: tuple[str, ...]


@cache
def catalogue() -> dict[str, Entry]:
    """All entries by name."""
    read = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return {name: _entry(**value) for name, value in read.items()}


def _entry(title: str, hub: str, license: str, fields: list[str], question: list[str], answer: list[str]) -> Entry:
    return Entry(title, hub, license, tuple(fields), tuple(question), tuple(answer))
