"""What a source on the web holds at one moment: the whole input of a run that reads it."""

from pydantic import BaseModel, ConfigDict

from contract.keys import digest


class Page(BaseModel):
    """A page that is there. `about` is what the feed said of it; `reserved` is the server's reservation of rights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    final_url: str
    sha256: str
    content_type: str = ""
    charset: str = ""
    reserved: str = ""
    about: dict[str, str] = {}


class Missing(BaseModel):
    """A listed page that could not be had: the rule that says why, and the evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    rule: str
    value: str


class Snapshot(BaseModel):
    """Pages and missing ones, each by address. `figures` tell of the way there and are no part of the hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pages: list[Page]
    missing: list[Missing]
    figures: dict[str, float] = {}

    @property
    def content_hash(self) -> str:
        """A hash of everything that a run over it can see."""
        return digest(self.model_dump(include={"pages", "missing"}))
