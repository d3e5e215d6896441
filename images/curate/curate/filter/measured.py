"""The published measures as columns, by name."""

from curate.filter.rows import Measure, Rows, Values

FAMILY_OF = {
    "gopher_quality": "quality",
    "gopher_repetition": "repetition",
    "c4": "c4",
    "fineweb": "fineweb",
}
"""The switch in the config's `quality` that asks for a family of measures."""


def measured(family: str, name: str) -> Measure:
    """One column of a family of measures."""

    def measure(rows: Rows) -> Values:
        from curate.filter.measures import FAMILIES

        column: Values = getattr(rows.measures, family)[:, FAMILIES[family].index(name)]
        return column

    return measure
