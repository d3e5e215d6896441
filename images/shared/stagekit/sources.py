"""Sources: what a stage reads beside its inputs (files from outside, datasets of the store), and its fingerprint."""

import os
import tempfile
from collections import deque
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from contract.config.base import Source, StoredDataset
from contract.failures import BadConfig, BadInput, RemoteTrouble
from contract.keys import digest
from contract.uris import Address
from stagekit.checksums import file_sha256
from stagekit.dataset import Dataset, open_dataset, released
from stagekit.store import Entry, Store, open_store, resolve

NO_FILES = ("/proc", "/sys", "/dev")
"""Where Linux shows what no file holds: `/proc/self/environ` would bring a stage's own keys into a dataset."""
SOURCES = "sources"
"""The name under which a manifest lists what a stage read beside its inputs."""


def source_files(source: Source) -> tuple[Store, list[Entry]]:
    """The files of a source, sorted by name, and the store that holds them.

    A folder's files are chosen by the source's `pattern`, hidden ones left out. Raises `BadInput` where there is none,
    `BadConfig` for places of the system that hold no files.
    """
    address = resolve(source.uri)
    _refuse_the_system(address)
    parent, _, name = address.path.rpartition("/")
    beside = open_store(address._replace(path=parent if parent or address.scheme == "s3" else "/"))
    if name and (found := beside.stat(name)):
        return beside, [found]
    store = open_store(address)
    pattern = getattr(source, "pattern", "**/*")
    files = [entry for entry in store.list() if _wanted(entry.name, pattern)]
    if not files:
        raise BadInput("source has no files", expected=f"a file, or a folder with {pattern}", where=str(address))
    return store, files


def is_absent(source: Source) -> bool:
    """Whether a source that is `optional` is not there yet."""
    if not getattr(source, "optional", False):
        return False
    try:
        source_files(source)
    except BadInput:
        return True
    return False


def stored_dataset(source: StoredDataset) -> Dataset | None:
    """The dataset that a source means; None where an `optional` one is not there.

    Raises `BadInput` where it should be, and where no dataset of the stage asked for is behind it.
    """
    try:
        dataset = open_dataset(released(resolve(source.uri)))
    except BadInput:
        dataset = None
    if dataset is None and not source.optional:
        raise BadInput("no finished dataset", expected="the folder of one, or `.../latest`", where=source.uri)
    if dataset is None or not source.stage:
        return dataset
    found = next((each for each in _and_ancestors(dataset) if _fits(each, source)), None)
    if found is None and not source.optional:
        raise BadInput(f"no dataset of {source.stage} behind this one", where=source.uri)
    return found


def fingerprint(source: Source) -> str:
    """A hash that changes whenever a file of the source is added, removed, renamed or rewritten."""
    if isinstance(source, StoredDataset):
        return _of_dataset(stored_dataset(source))
    if is_absent(source):
        return ""
    store, files = source_files(source)
    with tempfile.TemporaryDirectory() as folder:
        return digest([(entry.name, entry.size, entry.tag or _sha256(store, entry, Path(folder))) for entry in files])


def _refuse_the_system(address: Address) -> None:
    real = os.path.realpath(address.path) if address.scheme == "file" else ""
    if any(real == place or real.startswith(f"{place}/") for place in NO_FILES):
        raise BadConfig("a source that is a part of the system", expected="files or a folder of them", where=real)


def _of_dataset(dataset: Dataset | None) -> str:
    """Rows and files of a dataset, also those files that its content hash leaves out."""
    if dataset is None:
        return ""
    manifest = dataset.manifest
    return digest([manifest.content_hash, [(file.path, file.sha256) for file in manifest.files if not file.hashed]])


def _fits(dataset: Dataset, source: StoredDataset) -> bool:
    return dataset.manifest.stage == source.stage and dataset.manifest.config.get("field", "") == source.field


def _and_ancestors(dataset: Dataset) -> Iterator[Dataset]:
    """A dataset and those it was made from, the nearest first; what was cleaned away is passed over."""
    waiting, seen = deque([dataset]), {dataset.uri}
    while waiting:
        found = waiting.popleft()
        yield found
        for parent in found.manifest.parents:
            if parent.input == SOURCES or parent.uri in seen:
                continue
            seen.add(parent.uri)
            if older := open_dataset(resolve(parent.uri)):
                waiting.append(older)


def _sha256(store: Store, entry: Entry, folder: Path) -> str:
    path = store.fetch(entry.name, folder)
    if path is None:
        raise RemoteTrouble("the file vanished while it was read", where=str(store.root.child(entry.name)))
    return file_sha256(path)


def _wanted(name: str, pattern: str) -> bool:
    hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
    return not hidden and (fnmatch(name, pattern) or fnmatch(name, pattern.removeprefix("**/")))
