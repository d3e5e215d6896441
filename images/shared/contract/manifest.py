"""`manifest.json`: what a dataset is. It is written last, so a folder without one is not a dataset.

The conservation law lives here: for every account, `total == kept + dropped + failed + skipped`. An account is anything
that must not get lost: the rows of an input, the pieces an input was cut into, the requests sent to a model.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from contract.failures import DamagedData

FORMAT: Literal[1] = 1
MANIFEST = "manifest.json"
PREVIEW = "preview.json"
Status = Literal["kept", "dropped", "failed", "skipped"]


class Part(BaseModel):
    """Base of the manifest's parts."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stored(Part):
    """Anything kept in a dataset's folder: `path` inside it, size in bytes, SHA-256."""

    path: str
    bytes: int
    sha256: str


class Shard(Stored):
    """One Parquet file of `rows` rows."""

    rows: int


class File(Stored):
    """Any other file of the dataset (a report, a model, an export); `hashed` ones are part of the content hash."""

    hashed: bool = True


class Parent(Part):
    """What an input was read from: a dataset, or a source outside the store's datasets."""

    input: str
    uri: str
    content_hash: str
    rows: int | None = None


class Account(Part):
    """How many of one thing came in, and where each went. Counts by rule; `total` must equal their sum plus `kept`."""

    total: int
    kept: int = 0
    dropped: dict[str, int] = {}
    failed: dict[str, int] = {}
    skipped: dict[str, int] = {}

    @property
    def accounted(self) -> int:
        """Everything whose end is known."""
        return self.kept + sum(sum(d.values()) for d in (self.dropped, self.failed, self.skipped))

    @model_validator(mode="after")
    def _conserves(self) -> "Account":
        if self.accounted != self.total:
            raise ValueError(
                f"{self.total} came in but {self.accounted} are accounted for "
                f"(kept {self.kept}, dropped {self.dropped}, failed {self.failed}, skipped {self.skipped})"
            )
        return self


class Cost(Part):
    """What a stage spent on language models. `money` is in US dollars and null where a price is unknown."""

    requests: int = 0
    cached_requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    money: float | None = None


class Manifest(Part):
    """Everything about a dataset that is not its rows."""

    format: Literal[1] = FORMAT
    stage: str
    stage_version: int
    key: str
    recipe: str | None = None
    config: dict[str, Any]
    record: str | None
    columns: dict[str, str]
    shards: list[Shard]
    dropped_shards: list[Shard] = []
    files: list[File] = []
    rows_in: int
    rows_out: int
    accounts: dict[str, Account] = {}
    rules: dict[str, str] = {}
    metrics: dict[str, float | int | str | None] = {}
    links: dict[str, str] = {}
    parents: list[Parent] = []
    content_hash: str
    image: str | None = None
    code_version: str | None = None
    seed: int = 0
    started: str
    finished: str
    cost: Cost | None = None

    @model_validator(mode="after")
    def _shards_hold_the_rows(self) -> "Manifest":
        if (held := sum(shard.rows for shard in self.shards)) != self.rows_out:
            raise ValueError(f"rows_out says {self.rows_out} but the shards hold {held}")
        return self

    @property
    def main_account(self) -> Account:
        """The account of what came in: the first one opened, or an empty one for stages that only read."""
        return next(iter(self.accounts.values()), Account(total=0))

    @property
    def dropped(self) -> int:
        """Entries of the main account that went no further."""
        return self.main_account.total - self.main_account.kept


class Result(Part):
    """What a stage hands to its caller: the last line of standard output, and the XCom."""

    uri: str
    content_hash: str
    rows: int
    dropped: int
    metrics: dict[str, float | int | str | None] = {}
    links: dict[str, str] = {}
    reused: bool = False


class PreviewRow(Part):
    """A row shown to people: shortened text, and for a dropped row its ledger entry."""

    row: dict[str, Any] | None = None
    entry: dict[str, Any] | None = None


class Preview(Part):
    """A few rows of a dataset and a few of what each rule dropped (`account/status/rule`), for pages and reports."""

    kept: list[PreviewRow] = []
    ledger: dict[str, list[PreviewRow]] = {}


def parse_manifest(text: str | bytes, where: str) -> Manifest:
    """Read a manifest's JSON.

    Raises `DamagedData` when it is cut off, malformed or of another format.
    """
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole text"
        raise DamagedData(
            f"manifest cannot be read: {field}: {first['msg']}",
            expected=f"a manifest of format {FORMAT}",
            where=where,
            hint="delete that folder and run the stage again",
        ) from None
