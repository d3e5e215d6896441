"""What a stage's `run` gets in its hands."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contract.failures import BadInput
from contract.manifest import Parent
from contract.stage import Stage
from contract.uris import Address
from stagekit.dataset import Dataset
from stagekit.output import Output
from stagekit.sources import SOURCES
from stagekit.store import Store, cache_store, folder_of, open_store

PROGRESS_SECONDS = 10.0


@dataclass
class Job:
    """One run of one stage. `config` is an instance of the stage's config class."""

    stage: Stage
    config: Any
    inputs: dict[str, list[Dataset]]
    output: Output
    address: Address
    key: str
    parents: list[Parent] = field(default_factory=list)
    told: Callable[[], dict[str, object]] = dict
    """What progress lines say besides, such as money spent."""
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("nocturne"))

    def input(self, name: str) -> Dataset:
        """The one dataset of an input."""
        if not self.inputs.get(name):
            raise BadInput(f"input {name!r} is missing", where=self.stage.name)
        return self.inputs[name][0]

    def sources(self) -> list[Parent]:
        """What was found at each of its config's sources, in their order."""
        return [parent for parent in self.parents if parent.input == SOURCES]

    def cache(self, name: str) -> Store:
        """A store for answers that were paid for, shared by all runs and recipes; it outlives every run."""
        return cache_store(name, folder_of(str(self.address)))

    def scratch(self) -> Store:
        """A store for this dataset's unfinished work (checkpoints): a retry finds it, a commit removes it."""
        parent, _, name = self.address.path.rpartition("/")
        return open_store(self.address._replace(path=parent).child(".scratch", name))

    def progress(self, total: int | None, unit: str) -> "Progress":
        """A counter that logs rate and time left every ten seconds; a `total` of None is one that nobody knows."""
        return Progress(self.log, total, unit, lambda: self.told())


class Progress:
    """Logs how far a loop is."""

    def __init__(
        self, log: logging.Logger, total: int | None, unit: str, told: Callable[[], dict[str, object]] = dict
    ) -> None:
        self.log, self.total, self.unit, self._told = log, total, unit, told
        self.done = 0
        self._started = self._last = time.monotonic()

    def add(self, number: int = 1) -> None:
        """Count work done."""
        self.done += number
        now = time.monotonic()
        if now - self._last >= PROGRESS_SECONDS:
            self._last = now
            rate = self.done / (now - self._started)
            fields: dict[str, object] = {self.unit: self.done, "per_second": round(rate, 1)}
            if self.total is not None:
                left = (self.total - self.done) / rate if rate else 0
                fields |= {self.unit: f"{self.done}/{self.total}", "seconds_left": round(left)}
            self.log.info("progress", extra={"fields": fields | self._told()})
