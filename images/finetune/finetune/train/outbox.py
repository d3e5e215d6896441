"""Everything said to the tracking server, in order, whether it listens or not.

While the server is down, what is said waits in the job's scratch store, one object for each call, so a kill loses
nothing; when the server is back, it is told in the order in which it happened. What it heard before is left out.
"""

import json
import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from contract.failures import RemoteTrouble
from finetune.tracking import Run, ping
from stagekit.store import Store

FOLDER = "outbox/"
ASK_SECONDS = 10.0
"""How long to leave a server alone that did not answer."""
LAST_WAIT_SECONDS = 120.0
"""How long a finished training waits for a server that is down, before a retry of the task has to deliver the rest."""


class Outbox:
    """The run of a training in MLflow, by way of a queue that outlives the server's absence and our own death.

    Its methods are those of `Run`. They never fail for a server that is away; they raise `RemoteTrouble` for one that
    answers and refuses.
    """

    def __init__(self, run: Run, store: Store, log: logging.Logger) -> None:
        self.run, self.store, self.log = run, store, log
        self._ask_at = 0.0
        self.take_up()

    def take_up(self) -> None:
        """Take up what others left in the store: a killed try, or the process that trained."""
        self._waiting = deque(entry.name for entry in self.store.list(FOLDER))
        self._number = int(self._waiting[-1].rpartition("/")[2].partition(".")[0]) if self._waiting else 0

    @property
    def waiting(self) -> int:
        """Calls that the server has not heard."""
        return len(self._waiting)

    def params(self, values: Mapping[str, Any]) -> None:
        """Log parameters."""
        self._say("params", values={name: str(value) for name, value in values.items()})

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Log numbers of one step, at the time at which they were measured."""
        self._say("metrics", values=dict(values), step=step, at=int(time.time() * 1000))

    def tags(self, values: Mapping[str, str | None]) -> None:
        """Set tags."""
        self._say("tags", values=dict(values))

    def text(self, text: str, name: str) -> None:
        """Store a text with the run."""
        self._say("text", text=text, name=name)

    def dataset(self, name: str, uri: str, content_hash: str, rows: int) -> None:
        """Name the dataset that was trained on."""
        self._say("dataset", name=name, uri=uri, content_hash=content_hash, rows=rows)

    def finish(self, status: str) -> None:
        """Tell what waits and close the run.

        Raises `RemoteTrouble` when a successful training's server stays away: the last checkpoint and all that waits
        are kept, so a retry only has to deliver them. A failed one does not hide its own failure behind that.
        """
        self._say("finish", status=status)
        until = time.monotonic() + (LAST_WAIT_SECONDS if status == "FINISHED" else 0)
        while self._waiting and time.monotonic() < until:
            time.sleep(min(1.0, ASK_SECONDS))
            if time.monotonic() >= self._ask_at:
                self._flush()
        if not self._waiting:
            return
        if status != "FINISHED":
            self.log.warning("left untold to the tracking server", extra={"fields": {"calls": self.waiting}})
            return
        raise RemoteTrouble(
            f"the training is done but {self.waiting} calls did not reach the tracking server "
            f"within {LAST_WAIT_SECONDS:g} seconds",
            hint="start MLflow and let the task be retried: it goes on from its last checkpoint and tells the rest",
        )

    def _say(self, method: str, **arguments: Any) -> None:
        call = {"method": method, "arguments": arguments}
        if not self._waiting and self._told(call):
            return
        self._number += 1
        name = f"{FOLDER}{self._number:09d}.json"
        self.store.write(name, json.dumps(call).encode())
        self._waiting.append(name)
        if time.monotonic() >= self._ask_at:
            self._flush()

    def _flush(self) -> None:
        """Tell what waits, oldest first, until done or until the server is away again."""
        before = self.waiting
        while self._waiting:
            data = self.store.read(self._waiting[0])
            if data is not None and not self._told(json.loads(data)):
                return
            self.store.delete(self._waiting.popleft())
        self.run.revive()
        self.log.info("the tracking server is back and was told everything", extra={"fields": {"calls": before}})

    def _told(self, call: dict[str, Any]) -> bool:
        """Whether the server heard it. A server that answers but refuses twice is not away: that is raised."""
        if self._waiting and not self._answers():
            return False
        tell = getattr(self.run, call["method"])
        try:
            tell(**call["arguments"])
        except RemoteTrouble:
            self.run.forget()
            if not self._answers():
                return False
            tell(**call["arguments"])
        return True

    def _answers(self) -> bool:
        try:
            ping()
        except RemoteTrouble as trouble:
            if not self._waiting:
                self.log.warning(
                    "the tracking server is away: training goes on, and tells it later",
                    extra={"fields": {"found": trouble.sentence()}},
                )
            self._ask_at = time.monotonic() + ASK_SECONDS
            return False
        return True
