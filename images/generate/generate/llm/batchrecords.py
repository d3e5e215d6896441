"""Batches that are at a server, kept beside the answers: whoever asks the same question next waits for this one."""

import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

import orjson

from generate.llm.ways import Way
from stagekit.store import Store

DAYS = 30
"""Servers keep files about that long; what nobody asked for by then is forgotten."""


@dataclass
class Sent:
    """One batch. `id` is empty until the server has given one: then nobody knows yet whether the server has it.

    `ways` says in which way each line, by its question's key, was asked.
    """

    server: str
    ways: dict[str, Way]
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    id: str = ""


class Records:
    """The batches of one server."""

    def __init__(self, server: str, store: Store) -> None:
        self.server, self._store = server, store

    def save(self, sent: Sent) -> None:
        """Write a batch down, before it is sent and again when its id is known."""
        until = (datetime.now(UTC) + timedelta(days=DAYS)).isoformat(timespec="seconds")
        groups: dict[Way, list[str]] = {}
        for key, way in sent.ways.items():
            groups.setdefault(way, []).append(key)
        lines = [[asdict(way), keys] for way, keys in groups.items()]
        value = {"server": sent.server, "id": sent.id, "until": until, "lines": lines}
        self._store.write(f"{sent.name}.json", orjson.dumps(value))

    def forget(self, sent: Sent) -> None:
        """Every answer of the batch is kept, or there will be none."""
        self._store.delete(f"{sent.name}.json")

    def load(self) -> Iterator[Sent]:
        """The batches that an earlier process left at the server."""
        for entry in list(self._store.list()):
            try:
                value = orjson.loads(self._store.read(entry.name) or b"")
                ways = {
                    key: Way(way["level"], way["limit"], tuple(way["left_out"]))
                    for way, keys in value["lines"]
                    for key in keys
                }
                sent = Sent(value["server"], ways, entry.name.removesuffix(".json"), value["id"])
                old = datetime.fromisoformat(value["until"]) < datetime.now(UTC)
            except (ValueError, KeyError, TypeError):
                old = True
            if old:
                self._store.delete(entry.name)
            elif sent.server == self.server:
                yield sent
