"""Where a dataset is being written, and how it becomes visible: all at once, manifest last.

A local dataset is built in a hidden folder beside its place and renamed into it. An S3 dataset's objects are uploaded
as they are finished, under names that hold their content's hash, and the manifest is created last, if absent.
"""

import fcntl
import glob
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Protocol

from contract.failures import BadConfig
from contract.keys import digest
from contract.manifest import MANIFEST
from contract.uris import Address
from stagekit.store import open_store

BUILDING = ".building-"
LONGEST = 200  # bytes of a folder's name to which more may be added


class Destination(Protocol):
    """A dataset in the making. `workdir` is the local folder in which its files are made."""

    workdir: Path

    def finished(self, name: str, path: Path) -> None:
        """A file of the dataset is complete and will not change."""

    def commit(self, manifest: bytes) -> bool:
        """Make the dataset visible; False when another run was first."""

    def discard(self) -> None:
        """Remove what was not committed."""


def destination(address: Address) -> Destination:
    """The way to write a dataset at an address."""
    return S3Destination(address) if address.scheme == "s3" else LocalDestination(address)


class LocalDestination:
    """A hidden sibling folder, locked while its run lives, renamed when whole."""

    def __init__(self, address: Address) -> None:
        self.final = Path(address.path)
        _make_parent(self.final)
        _remove_abandoned(self.final)
        self.workdir = self.final.with_name(f"{_hidden(self.final)}{uuid.uuid4().hex[:8]}")
        self.workdir.mkdir()
        self._lock = _held_lock(_lock_path(self.workdir))

    def finished(self, name: str, path: Path) -> None:
        """Nothing to do: the file is where it will be renamed from."""

    def commit(self, manifest: bytes) -> bool:
        """Write the manifest, then rename the folder into place."""
        with (self.workdir / MANIFEST).open("wb") as file:
            file.write(manifest)
            file.flush()
            os.fsync(file.fileno())
        try:
            self.workdir.rename(self.final)
        except OSError:
            if (self.final / MANIFEST).is_file():
                return False
            raise
        return True

    def discard(self) -> None:
        """Remove the hidden folder, if it is still there, and its lock."""
        shutil.rmtree(self.workdir, ignore_errors=True)
        os.close(self._lock)
        _lock_path(self.workdir).unlink(missing_ok=True)


class S3Destination:
    """A local temporary folder; finished files are uploaded and deleted."""

    def __init__(self, address: Address) -> None:
        self.store = open_store(address)
        self.workdir = Path(tempfile.mkdtemp(prefix="nocturne-"))

    def finished(self, name: str, path: Path) -> None:
        """Upload at once, so that local disk holds one shard at a time."""
        self.store.upload(name, path)
        path.unlink()

    def commit(self, manifest: bytes) -> bool:
        """Create the manifest if there is none."""
        return self.store.create(MANIFEST, manifest)

    def discard(self) -> None:
        """Remove the temporary folder. Objects without a manifest are not a dataset; the next run overwrites them."""
        shutil.rmtree(self.workdir, ignore_errors=True)


def _make_parent(final: Path) -> None:
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise BadConfig(
            f"the output's folder cannot be made: {error.strerror}",
            expected="a folder that this user may write to",
            where=str(error.filename),
            hint="choose another --output",
        ) from None


def _hidden(final: Path) -> str:
    """What the hidden folders of a dataset's runs begin with; a long name leaves no room for more, its digest does."""
    name = final.name if len(final.name.encode()) <= LONGEST else digest(final.name)
    return f"{BUILDING}{name}-"


def _lock_path(workdir: Path) -> Path:
    return workdir.with_name(workdir.name + ".lock")


def _held_lock(path: Path) -> int:
    """A lock file that is locked before its name can be seen, so that nobody takes this run for a dead one."""
    unseen = path.with_suffix(".new")
    handle = os.open(unseen, os.O_CREAT | os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    unseen.rename(path)
    return handle


def _remove_abandoned(final: Path) -> None:
    """Delete what killed runs left beside this dataset: a folder whose lock nobody holds has no living run."""
    for lock in final.parent.glob(f"{glob.escape(_hidden(final))}*.lock"):
        try:
            handle = os.open(lock, os.O_RDWR)
        except FileNotFoundError:  # its run has just ended
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)
        finally:
            os.close(handle)
