"""explore: statistics and a report of the way the rows went."""

from pydantic import Field

from contract.config.base import StageConfig


class ExploreConfig(StageConfig):
    """Statistics, the funnel of rows through the stages, and examples, in one HTML file and a JSON beside it."""

    examples: int = Field(5, ge=0, le=100)
    """Examples shown of each kind (0 to 100)."""
