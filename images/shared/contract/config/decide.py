"""decide: read what reviewers decided about samples."""

from pydantic import Field

from contract.config.base import RowsConfig, Table


class DecisionSource(Table):
    """A file or folder of decisions: JSON lines as the review page writes them, or records exported from Argilla."""

    optional: bool = True
    """Whether it may be absent, as before the first decision."""


class DecideConfig(RowsConfig):
    """Reads decisions into a dataset; a line that is none goes to the ledger."""

    sources: list[DecisionSource] = []
    """Where decisions are."""

    names: dict[str, str] = {}
    """Name of each reviewer known by an id, such as a user id of Argilla; others keep their ids."""

    max_rejected: float = Field(0.1, ge=0, le=1)
    """Largest share of lines that may be no decision (0 to 1) before the stage refuses."""
