"""decide: read what reviewers decided about samples."""

from pydantic import Field

from contract.config.base import RowsConfig, Table

PAGE_FOLDER = "decisions"


class DecisionSource(Table):
    """A file or folder of decisions: JSON lines as the review page writes them, or records exported from Argilla."""

    optional: bool = True
    """Whether it may be absent, as before the first decision."""


def page_decisions(recipe: str) -> DecisionSource:
    """Where the review page keeps what people decide about a recipe's samples: one small file for each reviewer and
    sample, in a folder beside the recipe's datasets."""
    return DecisionSource(uri=f"{recipe}/{PAGE_FOLDER}")


class DecideConfig(RowsConfig):
    """Reads decisions into a dataset; a line that is none goes to the ledger."""

    sources: list[DecisionSource] = []
    """Where decisions are. In a recipe, those of its review page are read besides, and need not be named."""

    names: dict[str, str] = {}
    """Name of each reviewer known by an id, such as a user id of Argilla; others keep their ids."""

    max_rejected: float = Field(0.1, ge=0, le=1)
    """Largest share of lines that may be no decision (0 to 1) before the stage refuses."""
