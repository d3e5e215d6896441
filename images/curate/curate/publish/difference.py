"""What moved between two published datasets."""

import hashlib
from collections import defaultdict

import orjson

from contract.manifest import Manifest
from contract.records import Document
from contract.release import Change
from contract.stages import BY_NAME
from stagekit.dataset import Dataset, open_dataset
from stagekit.store import resolve

Contents = dict[str, bytes]
"""Of each id the digest of what it stands for."""


def difference(before: Dataset, after: Dataset) -> Change:
    """Samples by id and content, documents by name, figures by value.

    Documents are compared by their text, in the datasets that the samples were made from: which of a document's samples
    survive also depends on its neighbours, and that is no change of the document. Where those datasets are gone, a
    document counts as changed when its samples differ. A move between splits is no change; the figures show it.
    """
    old, new = _samples(before), _samples(after)
    old_documents, new_documents = _documents(before), _documents(after)
    if old_documents is None or new_documents is None:
        old_documents, new_documents = _by_samples(before), _by_samples(after)
    return Change(
        added=len(new.keys() - old.keys()),
        removed=len(old.keys() - new.keys()),
        changed=_differing(old, new),
        added_documents=sorted(new_documents.keys() - old_documents.keys()),
        removed_documents=sorted(old_documents.keys() - new_documents.keys()),
        changed_documents=sorted(
            name for name in old_documents.keys() & new_documents.keys() if old_documents[name] != new_documents[name]
        ),
        statistics=_moved(before.manifest, after.manifest),
    )


def _samples(dataset: Dataset) -> Contents:
    batches = dataset.batches(columns=["id", "messages"])
    return {row["id"]: _digest(orjson.dumps(row["messages"])) for batch in batches for row in batch.to_pylist()}


def _by_samples(dataset: Dataset) -> Contents:
    documents: dict[str, list[bytes]] = defaultdict(list)
    for batch in dataset.batches(columns=["document_id", "messages"]):
        for row in batch.to_pylist():
            if row["document_id"]:
                documents[row["document_id"]].append(_digest(orjson.dumps(row["messages"])))
    return {name: _digest(b"".join(sorted(samples))) for name, samples in documents.items()}


def _documents(dataset: Dataset) -> Contents | None:
    """The texts of the documents that a dataset was made from; None where they are not in the store any more."""
    source = _source(dataset)
    if source is None:
        return None
    batches = source.batches(columns=["id", "text"])
    return {row["id"]: _digest(row["text"].encode()) for batch in batches for row in batch.to_pylist()}


def _source(dataset: Dataset) -> Dataset | None:
    """The nearest dataset of documents on the way back through the parents."""
    if dataset.record is Document:
        return dataset
    stage = BY_NAME.get(dataset.manifest.stage)
    for parent in dataset.manifest.parents:
        port = stage.port(parent.input) if stage else None
        if port and port.records:
            origin = open_dataset(resolve(parent.uri))
            return _source(origin) if origin and origin.manifest.content_hash == parent.content_hash else None
    return None


def _differing(old: Contents, new: Contents) -> int:
    return sum(old[id] != new[id] for id in old.keys() & new.keys())


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _moved(before: Manifest, after: Manifest) -> dict[str, tuple[float | None, float | None]]:
    """Figures of the manifests that differ, each before and after."""
    old, new = _figures(before), _figures(after)
    names = sorted(old.keys() | new.keys())
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _figures(manifest: Manifest) -> dict[str, float]:
    figures = {name: float(value) for name, value in manifest.metrics.items() if isinstance(value, int | float)}
    return figures | {"rows": float(manifest.rows_out)}
