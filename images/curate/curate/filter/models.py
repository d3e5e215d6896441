"""Rules by trained models: the language of a text, and its quality."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from curate.filter.rows import Check, Rows, Values, Verdicts, at_least
from curate.language import scorer


def in_language(allowed: Collection[str]) -> Check:
    """The language must be one of those allowed."""
    names, threshold = frozenset(allowed), ", ".join(allowed)

    def check(rows: Rows) -> Verdicts:
        labels = rows.languages.labels
        return Verdicts(np.fromiter((label not in names for label in labels), bool, len(labels)), labels, threshold)

    return check


def confidence(rows: Rows) -> Values:
    """How sure the model is of the language it names (0 to 1)."""
    return rows.languages.scores


def classified(model: Path, label: str, minimum: float) -> Check | None:
    """A trained classifier must give the label at least that probability."""
    score = scorer(model, label)
    return at_least(lambda rows: score(rows.strings), minimum)
