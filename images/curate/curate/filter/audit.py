"""What rules say of all rows: counts, the first rows of each, and how its values are spread."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from curate.filter.rows import Verdicts
from curate.filter.rules import ActiveRule

EXAMPLES = 20
QUANTILES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
BINS = 20
HELD = 100_000  # values kept of each rule for its quantiles; of more rows, every second, fourth ... one


class Report:
    """Counts of what rules say. With `values`, it also keeps the values of rules that measure."""

    def __init__(self, rules: Sequence[ActiveRule], values: bool) -> None:
        self.rules = rules
        self.hits: Counter[str] = Counter()
        self.rows = self.seen = 0
        self.examples: dict[str, list[dict[str, Any]]] = {rule.name: [] for rule in rules}
        self.spreads = {rule.name: Spread() for rule in rules} if values else {}
        self.thresholds: dict[str, float | str] = {}

    def add(self, ids: Sequence[str], verdicts: Sequence[Verdicts]) -> None:
        """Count a batch's verdicts, in the order of the rules."""
        if not verdicts:
            return
        self.rows += int(np.logical_or.reduce([verdict.fails for verdict in verdicts]).sum())
        for rule, verdict in zip(self.rules, verdicts, strict=True):
            failed = np.flatnonzero(verdict.fails)
            self.hits[rule.name] += len(failed)
            self.thresholds[rule.name] = verdict.threshold
            room = EXAMPLES - len(self.examples[rule.name])
            self.examples[rule.name] += [
                {"id": ids[row], "value": verdict.value(row), "threshold": verdict.threshold}
                for row in failed[:room].tolist()
            ]
            if rule.name in self.spreads and isinstance(verdict.values, np.ndarray):
                self.spreads[rule.name].add(verdict.values)

    def metrics(self) -> dict[str, int]:
        """Rows with findings, and hits of each rule."""
        return {"rows_with_findings": self.rows} | {f"{rule.name}_hits": self.hits[rule.name] for rule in self.rules}

    def as_json(self) -> str:
        """All of it, for people who choose thresholds."""
        rules = [self._of(rule) for rule in self.rules]
        return orjson.dumps({"rows_with_findings": self.rows, "rules": rules}, option=orjson.OPT_INDENT_2).decode()

    def _of(self, rule: ActiveRule) -> dict[str, Any]:
        found = {"rule": rule.name, "description": rule.description, "threshold": self.thresholds.get(rule.name)}
        spread = self.spreads[rule.name].as_dict() if rule.name in self.spreads else None
        counted = {"rows": self.hits[rule.name], "first": self.examples[rule.name]}
        return found | ({"values": spread} if spread else {}) | counted


class Spread:
    """How values are spread: quantiles, and a histogram between the 1st and the 99th percentile."""

    def __init__(self) -> None:
        self.count = 0
        self.lowest, self.highest = np.inf, -np.inf
        self._step = 1
        self._held: list[np.ndarray[Any, np.dtype[np.float64]]] = []

    def add(self, values: np.ndarray[Any, Any]) -> None:
        """Take a batch's values; of very many, every so many-th is kept."""
        values = values.astype(np.float64)
        self._held.append(values[-self.count % self._step :: self._step])
        self.count += len(values)
        self.lowest = min(self.lowest, float(values.min(initial=np.inf)))
        self.highest = max(self.highest, float(values.max(initial=-np.inf)))
        if sum(map(len, self._held)) > HELD:
            self._held = [np.concatenate(self._held)[::2]]
            self._step *= 2

    def as_dict(self) -> dict[str, Any] | None:
        """Rows, quantiles by their share, and counts between equal edges; None where there was no value."""
        if not self.count:
            return None
        values = np.concatenate(self._held)
        quantiles = np.quantile(values, QUANTILES)
        quantiles[0], quantiles[-1] = self.lowest, self.highest
        counts, edges = np.histogram(values, BINS, (quantiles[1], quantiles[-2]))
        return {
            "rows": self.count,
            "quantiles": {f"{at:g}": round(float(value), 6) for at, value in zip(QUANTILES, quantiles, strict=True)},
            "histogram": {"edges": [round(float(edge), 6) for edge in edges], "counts": counts.tolist()},
        }
