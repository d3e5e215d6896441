"""Published versions of a dataset: `latest.json` beside the keyed folders, and one `versions/NNNN.json` for each.

A dataset is a function of its inputs and never knows when it was published; what happened over time is kept here.
"""

from pydantic import BaseModel, ConfigDict

LATEST_FILE = "latest.json"
VERSIONS = "versions"


class Change(BaseModel):
    """What moved between two versions: ids of samples by how they differ, and documents by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    added: int
    removed: int
    changed: int
    added_documents: list[str] = []
    removed_documents: list[str] = []
    changed_documents: list[str] = []
    statistics: dict[str, tuple[float | None, float | None]] = {}


class Release(BaseModel):
    """One published version. `key` names its folder beside this file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    key: str
    content_hash: str
    rows: int
    published_at: str
    previous: int | None = None
    change: Change | None = None
