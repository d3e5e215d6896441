"""What cleaning did, gathered batch by batch."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from contract.config.clean import CleanConfig
from curate.clean.cleaner import Cleaned
from curate.clean.furniture import Removed, least, line_key, most_frequent
from curate.clean.tally import Tally

SHOWN = 200
"""Removed lines that are listed, those of most documents."""
HELD = 20_000
"""Removed lines that are remembered until then; the number of documents is known for each, so none is missed."""


class Report:
    """Counts and examples of all batches, in their order."""

    def __init__(self, config: CleanConfig) -> None:
        self._config = config
        self._rows = self._lines_removed = 0
        self._tallies: dict[str, Tally] = {name: Tally() for name in config.mappers}
        self._values: Counter[tuple[str, str]] = Counter()
        self._rows_with: Counter[tuple[str, str]] = Counter()
        self._lines: dict[int | None, Removed] = {}

    def add(self, cleaned: Cleaned) -> None:
        """Count a batch."""
        self._rows += cleaned.kept.num_rows + len(cleaned.verdicts)
        for name, tally in cleaned.tallies.items():
            self._tallies[name].add(tally)
        self._values += cleaned.values
        self._rows_with += cleaned.rows_with
        self._lines_removed += cleaned.removed.total()
        for line in cleaned.removed:
            self._lines.setdefault(line_key(line.source, line.line), line)
        if len(self._lines) > HELD:
            kept = most_frequent(self._lines.values(), SHOWN)
            self._lines = {line_key(line.source, line.line): line for line in kept}

    def metrics(self) -> dict[str, float | int | str | None]:
        """Rows and characters changed by each mapper, and what was found or removed."""
        found: dict[str, float | int | str | None] = {}
        for name, tally in self._tallies.items():
            found |= {f"{name}_rows": tally.rows, f"{name}_characters": tally.characters}
            if name in ("secrets", "personal"):
                found[f"{name}_values"] = sum(n for (mapper, _), n in self._values.items() if mapper == name)
            if name == "furniture":
                found["furniture_lines"] = self._lines_removed
        return found

    def facts(self, told: Callable[[str], str], documents: Mapping[str, int]) -> dict[str, Any]:
        """Everything that the report says, as plain values.

        `told` makes a removed line fit to be shown; `documents` counts each source's.
        """
        return {
            "rows": self._rows,
            "mappers": [{"name": name} | asdict(tally) for name, tally in self._tallies.items()],
            "secrets": list(self._found("secrets")),
            "personal": list(self._found("personal")),
            "furniture": self._furniture(told, documents) if "furniture" in self._tallies else None,
        }

    def _found(self, mapper: str) -> Iterator[dict[str, Any]]:
        for (name, kind), values in sorted(self._values.items()):
            if name == mapper:
                rows = self._rows_with[name, kind]
                yield {"kind": kind, "action": self._action(name, kind), "values": values, "rows": rows}

    def _action(self, mapper: str, kind: str) -> str:
        if mapper == "personal":
            return str(getattr(self._config.personal, kind))
        return dict(self._config.secrets.rules).get(kind, self._config.secrets.action)  # type: ignore[call-overload,no-any-return]

    def _furniture(self, told: Callable[[str], str], documents: Mapping[str, int]) -> dict[str, Any]:
        config = self._config.furniture
        sources = [
            {"source": source, "documents": number, "least": least(config, number)}
            for source, number in sorted(documents.items())
        ]
        lines = [line._asdict() | {"line": told(line.line)} for line in most_frequent(self._lines.values(), SHOWN)]
        return {"lines_removed": self._lines_removed, "sources": sources, "lines": lines}
