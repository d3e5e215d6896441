"""What the tries of a dataset, or all stages of a run, have spent: a limit on money must outlive a killed process."""

import uuid
from collections.abc import Callable, Sequence

import orjson

from generate.llm.spending import Outlay, Spent
from stagekit.store import Store

FOLDER = "spent"


class Purse:
    """One small object per try in a folder of a store, rewritten before a request is sent and after its answer: the
    four amounts that the try has spent, then the four that are in doubt if it gets no further.

    In the dataset's scratch store it counts the tries of the dataset, in a folder named after a DAG run all that its
    stages spend, whatever becomes of them.
    """

    def __init__(self, store: Store, folder: str = FOLDER) -> None:
        self.store, self.folder = store, folder
        self._name = f"{folder}/{uuid.uuid4().hex}.json"
        self._written = Outlay()

    def before(self) -> Outlay:
        """What earlier tries spent and lost."""
        total = Outlay()
        for entry in self.store.list(f"{self.folder}/"):
            if data := self.store.read(entry.name):
                amounts = orjson.loads(data)
                total += Outlay(Spent(*amounts[:4]), Spent(*amounts[4:]))
        return total

    def record(self, outlays: Sequence[Outlay]) -> Sequence[Outlay]:
        """Write the last of some outlays that this try had had in all; one write for all of them."""
        if outlays[-1] != self._written:
            self._written = outlays[-1]
            self.store.write(self._name, orjson.dumps([*self._written.spent.amounts, *self._written.lost.amounts]))
        return outlays


def recorder(purses: Sequence[Purse]) -> Callable[[Sequence[Outlay]], Sequence[Outlay]]:
    """Writes outlays into several purses."""

    def record(outlays: Sequence[Outlay]) -> Sequence[Outlay]:
        for purse in purses:
            purse.record(outlays)
        return outlays

    return record
