"""One small interface over a local folder and an S3 bucket.

A store is rooted at an address; names below it use `/`. Everything that Nocturne keeps goes through here, so what holds
for one backend must hold for the other: writes are whole or absent, `create` lets one of several writers win.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from contract.uris import Address, parse_uri


class Entry(NamedTuple):
    """One stored object: its name below the store's root, its size in bytes, S3's tag of its content (else empty)."""

    name: str
    size: int
    tag: str = ""


class Store(Protocol):
    """A place for objects. Every method may raise `RemoteTrouble` where the backend does not answer."""

    root: Address

    def read(self, name: str) -> bytes | None:
        """The whole object, or None where there is none."""

    def stat(self, name: str) -> Entry | None:
        """The object's name, size and tag, or None where there is none."""

    def fetch(self, name: str, folder: Path) -> Path | None:
        """The object as a local file: itself, or a copy made in `folder`; None where there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Write or replace an object; readers see the old or the new one, never a part."""

    def create(self, name: str, data: bytes, synced: bool = True) -> bool:
        """Write an object only if there is none; False when another writer was first.

        A local one that is not `synced` outlives the process but maybe not a power cut in the half minute after it: for
        many small objects that can be got again, since waiting for the disk costs more than all the rest.
        """

    def upload(self, name: str, path: Path) -> None:
        """Write or replace an object from a local file."""

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """All objects whose name starts with `prefix`, sorted by name."""

    def delete(self, name: str) -> None:
        """Remove an object; nothing happens where there is none."""

    def label(self, name: str, labels: Mapping[str, str]) -> bool:
        """Replace an object's tags, by which an S3 server's lifecycle rules, policies and inventories choose.

        False where it has none afterwards: in a folder, on a server that knows no tags, without the right to set them.
        """


def open_store(address: Address | str) -> Store:
    """The store at an address; S3 takes its endpoint and credentials from the environment."""
    if isinstance(address, str):
        address = resolve(address)
    if address.scheme == "s3":
        from stagekit.store_s3 import S3Store  # minio takes 0.2 s to import; local runs never need it

        return S3Store(address)
    from stagekit.store_local import LocalStore

    return LocalStore(address)


def resolve(uri: str) -> Address:
    """A URI's address; relative paths count from `NOCTURNE_STORE` where that is set."""
    return parse_uri(uri, base=os.environ.get("NOCTURNE_STORE"))


def folder_of(output: str) -> Address:
    """The folder in which an output, named with or without its key, lies."""
    address = resolve(output)
    return address if output.endswith("/") else address._replace(path=address.path.rpartition("/")[0])


def cache_store(name: str, folder: Address) -> Store:
    """A store for what was costly to get, shared by all runs and recipes; it outlives every run.

    It is where `NOCTURNE_CACHE` says, else below the store's root, which is `NOCTURNE_STORE` or the outputs' `folder`.
    """
    cache, root = (os.environ.get(variable) for variable in ("NOCTURNE_CACHE", "NOCTURNE_STORE"))
    return open_store(resolve(cache).child(name) if cache else (resolve(root) if root else folder).child("cache", name))
