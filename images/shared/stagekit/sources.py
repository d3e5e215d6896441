"""Sources: files that enter the house from outside its datasets, and their fingerprints."""

import tempfile
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from contract.config.base import Source
from contract.failures import BadInput
from contract.keys import digest
from stagekit.checksums import file_sha256
from stagekit.store import Entry, Store, open_store, resolve


def source_files(source: Source) -> tuple[Store, list[Entry]]:
    """The files of a source, sorted by name, and the store that holds them.

    A folder's files are chosen by the source's `pattern`, hidden ones left out. Raises `BadInput` where there is none.
    """
    address = resolve(source.uri)
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


def fingerprint(source: Source) -> str:
    """A hash that changes whenever a file of the source is added, removed, renamed or rewritten."""
    store, files = source_files(source)
    with tempfile.TemporaryDirectory() as folder:
        return digest([(entry.name, entry.size, entry.tag or _sha256(store, entry, Path(folder))) for entry in files])


def _sha256(store: Store, entry: Entry, folder: Path) -> str:
    path = store.fetch(entry.name, folder)
    if path is None:
        raise BadInput("the file vanished while it was read", where=str(store.root.child(entry.name)))
    return file_sha256(path)


def _wanted(name: str, pattern: str) -> bool:
    hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
    return not hidden and (fnmatch(name, pattern) or fnmatch(name, pattern.removeprefix("**/")))
