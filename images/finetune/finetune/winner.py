"""A training's result by way of the choice among several: what `choose` wrote names the one to go on with."""

import json

from contract.failures import DamagedData
from stagekit.dataset import Dataset, open_dataset
from stagekit.store import resolve

CHOICE = "choice.json"


def winner(dataset: Dataset) -> Dataset:
    """The chosen training; a dataset that is a training is its own winner.

    Raises `DamagedData` where the chosen one is gone or is not what was chosen.
    """
    if dataset.manifest.stage != "choose":
        return dataset
    wanted = json.loads(dataset.file(CHOICE).read_text())["content_hash"]
    uri = next(parent.uri for parent in dataset.manifest.parents if parent.content_hash == wanted)
    found = open_dataset(resolve(uri))
    if found is None or found.manifest.content_hash != wanted:
        raise DamagedData(
            "the chosen training is gone" if found is None else "another training is where the chosen one was",
            expected=f"a dataset with the content hash {wanted}",
            where=uri,
            hint="run the trainings of the sweep again",
        )
    return found
