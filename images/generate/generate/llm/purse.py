"""What a dataset's tries have spent, kept until it stands: a limit on money must outlive a killed run."""

import uuid
from collections.abc import Sequence

import orjson

from generate.llm.spending import Spent
from stagekit.store import Store

FOLDER = "spent"


class Purse:
    """One small object per try in the dataset's scratch store, rewritten as spending grows."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._name = f"{FOLDER}/{uuid.uuid4().hex}.json"
        self._written = Spent()

    def before(self) -> Spent:
        """What earlier tries spent."""
        total = Spent()
        for entry in self.store.list(f"{FOLDER}/"):
            if data := self.store.read(entry.name):
                total += Spent(*orjson.loads(data))
        return total

    def record(self, amounts: Sequence[Spent]) -> Sequence[Spent]:
        """Write the last of some amounts that this try had spent in all; one write for all of them."""
        if amounts[-1] != self._written:
            self._written = amounts[-1]
            self.store.write(self._name, orjson.dumps(self._written.amounts))
        return amounts
