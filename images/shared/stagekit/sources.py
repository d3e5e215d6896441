"""Sources: files that enter the house from outside its datasets, and their fingerprints."""

import hashlib
from fnmatch import fnmatch
from pathlib import PurePosixPath

from contract.config.base import Source
from contract.failures import BadInput
from contract.keys import digest
from stagekit.store import Entry, Store, open_store, resolve


def source_files(source: Source) -> tuple[Store, list[Entry]]:
    """The files of a source, sorted by name, and the store that holds them.

    A folder's files are chosen by the source's `pattern`, hidden ones left out. Raises `BadInput` where there is none.
    """
    address = resolve(source.uri)
    parent, _, name = address.path.rpartition("/")
    beside = open_store(address._replace(path=parent or "/"))
    if name and (size := beside.size(name)) is not None:
        return beside, [next((e for e in beside.list(name) if e.name == name), Entry(name, size))]
    store = open_store(address)
    pattern = getattr(source, "pattern", "**/*")
    files = [entry for entry in store.list() if _wanted(entry.name, pattern)]
    if not files:
        raise BadInput("source has no files", expected=f"a file, or a folder with {pattern}", where=str(address))
    return store, files


def fingerprint(source: Source) -> str:
    """A hash that changes whenever a file of the source is added, removed, renamed or rewritten."""
    store, files = source_files(source)
    return digest([(entry.name, entry.size, entry.tag or _sha256(store, entry.name)) for entry in files])


def _sha256(store: Store, name: str) -> str:
    data = store.read(name)
    return hashlib.sha256(data or b"").hexdigest()


def _wanted(name: str, pattern: str) -> bool:
    hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
    return not hidden and (fnmatch(name, pattern) or fnmatch(name, pattern.removeprefix("**/")))
