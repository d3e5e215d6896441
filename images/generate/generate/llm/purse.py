"""What the tries of a dataset, or all stages of a run, have spent: a limit on money must outlive a killed process."""

import uuid
from collections.abc import Callable, Sequence

import orjson

from generate.llm.spending import Spent
from stagekit.store import Store

FOLDER = "spent"


class Purse:
    """One small object per try in a folder of a store, rewritten as spending grows.

    In the dataset's scratch store it counts the tries of the dataset, in a folder named after a DAG run all that its
    stages spend, whatever becomes of them.
    """

    def __init__(self, store: Store, folder: str = FOLDER) -> None:
        self.store, self.folder = store, folder
        self._name = f"{folder}/{uuid.uuid4().hex}.json"
        self._written = Spent()

    def before(self) -> Spent:
        """What earlier tries spent."""
        total = Spent()
        for entry in self.store.list(f"{self.folder}/"):
            if data := self.store.read(entry.name):
                total += Spent(*orjson.loads(data))
        return total

    def record(self, amounts: Sequence[Spent]) -> Sequence[Spent]:
        """Write the last of some amounts that this try had spent in all; one write for all of them."""
        if amounts[-1] != self._written:
            self._written = amounts[-1]
            self.store.write(self._name, orjson.dumps(self._written.amounts))
        return amounts


def recorder(purses: Sequence[Purse]) -> Callable[[Sequence[Spent]], Sequence[Spent]]:
    """Writes amounts into several purses."""

    def record(amounts: Sequence[Spent]) -> Sequence[Spent]:
        for purse in purses:
            purse.record(amounts)
        return amounts

    return record
