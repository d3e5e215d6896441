"""What the tries of a dataset, or all stages of a run, have spent: a limit on money must outlive a killed process."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from generate.llm.spending import NO_OUTLAY, Outlay, Spent
from stagekit.store import Store
from stagekit.store_local import LocalStore

FOLDER = "spent"


class Purse:
    """One object per try in a folder of a store, of which the last line counts: the four amounts that the try has
    spent, then the four that are in doubt if it gets no further. It is written before a request is sent and after its
    answer; a file grows, since replacing one makes the disk work at once, an object in S3 is rewritten.

    In the dataset's scratch store it counts the tries of the dataset, in a folder named after a DAG run all that its
    stages spend, whatever becomes of them. It outlives the process at once, and a power cut from half a minute on, as
    the answers do that were paid with it.
    """

    def __init__(self, store: Store, folder: str = FOLDER) -> None:
        self.store, self.folder = store, folder
        self._name = f"{folder}/{uuid.uuid4().hex}.json"
        self._written = NO_OUTLAY

    def before(self) -> Outlay:
        """What earlier tries spent and lost."""
        total = NO_OUTLAY
        for entry in self.store.list(f"{self.folder}/"):
            total += _last(self.store.read(entry.name) or b"")
        return total

    def record(self, outlays: Sequence[Outlay]) -> Sequence[Outlay]:
        """Write the last of some outlays that this try had had in all."""
        if outlays[-1] != self._written:
            self._written = outlays[-1]
            line = orjson.dumps([*self._written.spent, *self._written.lost]) + b"\n"
            if isinstance(self.store, LocalStore):
                self.store.append(self._name, line)
            else:
                self.store.write(self._name, line)
        return outlays


def _last(data: bytes) -> Outlay:
    """What the last whole line says; one that a full disk cut off was never acted upon."""
    for line in reversed(data.splitlines()):
        with suppress(ValueError):
            amounts = orjson.loads(line)
            return Outlay(Spent(*amounts[:4]), Spent(*amounts[4:]))
    return NO_OUTLAY


@dataclass(frozen=True)
class Purses:
    """Several purses that are filled at once."""

    purses: Sequence[Purse]

    @property
    def threads(self) -> int:
        """How many threads of its own their filling is worth: one for S3, which makes it wait; a folder is quicker."""
        return int(any(purse.store.root.scheme == "s3" for purse in self.purses))

    def record(self, outlays: Sequence[Outlay]) -> Sequence[Outlay]:
        """Write outlays into each."""
        for purse in self.purses:
            purse.record(outlays)
        return outlays
