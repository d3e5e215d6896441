"""What moved between two published datasets."""

import hashlib
from collections import defaultdict

import orjson

from contract.manifest import Manifest
from contract.release import Change
from stagekit.dataset import Dataset

Contents = dict[str, bytes]
"""Of each sample id the digest of its messages."""


def difference(before: Dataset, after: Dataset) -> Change:
    """Samples by id and content, documents by the content of their samples, figures by value.

    A document is changed when both versions have samples of it, but not the same ones. A move from one split to the
    other is no change of a sample; the figures show it.
    """
    old, old_documents = _contents(before)
    new, new_documents = _contents(after)
    shared = old_documents.keys() & new_documents.keys()
    return Change(
        added=len(new.keys() - old.keys()),
        removed=len(old.keys() - new.keys()),
        changed=sum(old[id] != new[id] for id in old.keys() & new.keys()),
        added_documents=sorted(new_documents.keys() - shared),
        removed_documents=sorted(old_documents.keys() - shared),
        changed_documents=sorted(id for id in shared if sorted(old_documents[id]) != sorted(new_documents[id])),
        statistics=_moved(before.manifest, after.manifest),
    )


def _contents(dataset: Dataset) -> tuple[Contents, dict[str, list[bytes]]]:
    samples: Contents = {}
    documents: dict[str, list[bytes]] = defaultdict(list)
    for batch in dataset.batches(columns=["id", "document_id", "messages"]):
        for row in batch.to_pylist():
            content = hashlib.blake2b(orjson.dumps(row["messages"]), digest_size=16).digest()
            samples[row["id"]] = content
            if row["document_id"]:
                documents[row["document_id"]].append(content)
    return samples, documents


def _moved(before: Manifest, after: Manifest) -> dict[str, tuple[float | None, float | None]]:
    """Figures of the manifests that differ, each before and after."""
    old, new = _figures(before), _figures(after)
    names = sorted(old.keys() | new.keys())
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _figures(manifest: Manifest) -> dict[str, float]:
    figures = {name: float(value) for name, value in manifest.metrics.items() if isinstance(value, int | float)}
    return figures | {"rows": float(manifest.rows_out)}
