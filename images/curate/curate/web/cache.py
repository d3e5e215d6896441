"""What was fetched before: bodies by their hash, what each address answered last, which pages a source ever listed."""

from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict

from contract.keys import digest
from curate.web.snapshot import Snapshot
from stagekit.checksums import bytes_sha256
from stagekit.store import Store

CACHE = "web"
"""The cache's name among a store's caches."""


class Kept(BaseModel):
    """The last whole answer of an address: where it came from in the end, its validators, and its body's SHA-256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    final_url: str
    sha256: str
    content_type: str = ""
    charset: str = ""
    reserved: str = ""
    etag: str = ""
    last_modified: str = ""


class PageCache:
    """Kept in a store, so that the next night finds it wherever it runs."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def kept(self, url: str) -> Kept | None:
        """The last answer of an address whose body is still there."""
        data = self.store.read(_answer(url))
        kept = Kept.model_validate_json(data) if data else None
        return kept if kept and self.store.stat(_body(kept.sha256)) else None

    def keep(self, kept: Kept, body: bytes) -> None:
        """Keep an answer, the body first: an entry never names a body that is not there."""
        if self.store.stat(_body(kept.sha256)) is None:
            self.store.write(_body(kept.sha256), body)
        self.store.write(_answer(kept.url), kept.model_dump_json().encode())

    def body(self, sha256: str) -> bytes:
        """A body, whole. Raises `KeyError` where it was taken away."""
        data = self.store.read(_body(sha256))
        if data is None or bytes_sha256(data) != sha256:
            raise KeyError(sha256)
        return data

    def fetch_body(self, sha256: str, folder: Path) -> Path | None:
        """A body as a local file."""
        return self.store.fetch(_body(sha256), folder)

    def seen(self, uri: str) -> dict[str, dict[str, str]]:
        """Pages that a source listed on earlier nights, with what it said about them."""
        data = self.store.read(_seen(uri))
        return orjson.loads(data) if data else {}

    def keep_seen(self, uri: str, pages: dict[str, dict[str, str]]) -> None:
        """Keep the pages that are to be asked for on the next night."""
        self.store.write(_seen(uri), orjson.dumps(pages, option=orjson.OPT_SORT_KEYS))

    def keep_snapshot(self, snapshot: Snapshot) -> str:
        """Keep what a source holds now; returns its hash, by which it is found again."""
        name = snapshot.content_hash
        self.store.write(_snapshot(name), snapshot.model_dump_json().encode())
        return name

    def histories(self) -> dict[str, list[str]]:
        """Of each source, under its name here: the snapshots that are kept, the newest first."""
        names = [entry.name for entry in self.store.list("history/")]
        return {name: orjson.loads(self.store.read(name) or b"[]") for name in names}

    def keep_history(self, uri: str, snapshots: list[str]) -> None:
        """Keep which snapshots of a source are kept."""
        self.store.write(history_of(uri), orjson.dumps(snapshots))

    def forget_snapshot(self, content_hash: str) -> None:
        """Let go of a snapshot."""
        self.store.delete(_snapshot(content_hash))

    def forget_body(self, sha256: str, url: str = "") -> None:
        """Let go of a body, and of the answer of an address that has no other."""
        kept = self.kept(url) if url else None
        self.store.delete(_body(sha256))
        if kept and kept.sha256 == sha256:
            self.store.delete(_answer(url))

    def snapshot(self, content_hash: str) -> Snapshot | None:
        """The snapshot of that hash."""
        data = self.store.read(_snapshot(content_hash))
        return Snapshot.model_validate_json(data) if data else None


def history_of(uri: str) -> str:
    """The name under which a source's history is kept."""
    return f"history/{digest(uri)[:32]}.json"


def _answer(url: str) -> str:
    return f"answers/{digest(url)[:32]}.json"


def _body(sha256: str) -> str:
    return f"bodies/{sha256[:2]}/{sha256}"


def _seen(uri: str) -> str:
    return f"seen/{digest(uri)[:32]}.json"


def _snapshot(content_hash: str) -> str:
    return f"snapshots/{content_hash}.json"
