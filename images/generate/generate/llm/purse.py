"""What a dataset's tries have spent, kept until it stands: a limit on money must outlive a killed run."""

import asyncio
import uuid
from dataclasses import astuple

import orjson

from generate.llm.spending import Spent
from stagekit.store import Store

FOLDER = "spent"


class Purse:
    """One small object per try in the dataset's scratch store, rewritten as spending grows."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._name = f"{FOLDER}/{uuid.uuid4().hex}.json"
        self._lock = asyncio.Lock()
        self._written = Spent()

    def before(self) -> Spent:
        """What earlier tries spent."""
        total = Spent()
        for entry in self.store.list(f"{FOLDER}/"):
            if data := self.store.read(entry.name):
                total += Spent(*orjson.loads(data))
        return total

    async def record(self, spent: Spent) -> None:
        """Write what this try has spent so far; several answers at once share one write."""
        async with self._lock:
            if spent.requests > self._written.requests:
                self._written = spent
                data = orjson.dumps(astuple(spent))
                await asyncio.to_thread(self.store.write, self._name, data)
