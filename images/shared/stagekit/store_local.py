"""A store in a local folder."""

import os
import uuid
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from contract.failures import BadInput, RemoteTrouble
from contract.uris import Address
from stagekit.store import Entry

TEMPORARY = ".tmp-"
OURS, NUMBERS = uuid.uuid4().hex, count()
"""What no other process's temporary files are called, but those that were forked off."""
NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY
LONGER = os.O_CREAT | os.O_APPEND | os.O_WRONLY


class LocalStore:
    """Objects are files; whole-or-absent writes are a temporary file, fsync and rename."""

    def __init__(self, root: Address) -> None:
        self.root = root
        self.folder = Path(root.path)

    def read(self, name: str) -> bytes | None:
        """The whole object, or None where there is none."""
        try:
            return self._path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except PermissionError as error:
            raise _not_allowed(error) from None

    def stat(self, name: str) -> Entry | None:
        """The object's name and size, or None where there is none."""
        path = self._path(name)
        return Entry(name, path.stat().st_size) if path.is_file() else None

    def fetch(self, name: str, folder: Path) -> Path | None:
        """The file itself; nothing is copied."""
        path = self._path(name)
        return path if path.is_file() else None

    def write(self, name: str, data: bytes) -> None:
        """Write or replace an object."""
        temporary, path = self._temporary(name, data, synced=True)
        os.replace(temporary, path)

    def create(self, name: str, data: bytes, synced: bool = True) -> bool:
        """Write an object only if there is none; a hard link is the file system's own if-absent."""
        temporary, path = self._temporary(name, data, synced)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            os.unlink(temporary)
        return True

    def append(self, name: str, data: bytes) -> None:
        """Add to the end of an object of one writer. As what `create` does not sync, it outlives the process."""
        self._put(name, self._opened(name, os.path.join(self.root.path, name), LONGER), data, synced=False)

    def upload(self, name: str, path: Path) -> None:
        """Write or replace an object from a local file."""
        self.write(name, path.read_bytes()) if path.stat().st_size < 1 << 20 else self._copy(name, path)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """All files below the root whose name starts with `prefix`, sorted; temporary files are not objects."""
        start = self._path(prefix.rpartition("/")[0])
        found = [
            (path.relative_to(self.folder).as_posix(), path)
            for path in start.rglob("*")
            if path.is_file() and not path.name.startswith(TEMPORARY)
        ]
        yield from (Entry(name, path.stat().st_size) for name, path in sorted(found) if name.startswith(prefix))

    def delete(self, name: str) -> None:
        """Remove an object."""
        self._path(name).unlink(missing_ok=True)

    def label(self, name: str, labels: Mapping[str, str]) -> bool:
        """False: a file has no tags that would outlive a copy."""
        return False

    def _path(self, name: str) -> Path:
        return self.folder / name if name else self.folder

    def _temporary(self, name: str, data: bytes, synced: bool) -> tuple[str, str]:
        """A whole file beside an object's place, and that place. Plain calls of the system: answers of language models
        come by the thousand, and objects for paths, files and folders took more than half of the time."""
        path = os.path.join(self.root.path, name)
        temporary = os.path.join(os.path.dirname(path), f"{TEMPORARY}{OURS}-{os.getpid()}-{next(NUMBERS)}")
        file = self._opened(name, temporary, NEW)
        try:
            self._put(name, file, data, synced)
        except RemoteTrouble:
            os.unlink(temporary)
            raise
        return temporary, path

    def _put(self, name: str, file: int, data: bytes, synced: bool) -> None:
        """Write to an open file and close it."""
        try:
            while data:
                data = data[os.write(file, data) :]
            if synced:
                os.fsync(file)
        except OSError as error:
            raise _trouble(error, self._path(name)) from None
        finally:
            os.close(file)

    def _opened(self, name: str, path: str, how: int) -> int:
        try:
            try:
                return os.open(path, how, 0o666)
            except FileNotFoundError:
                self._prepared(name)
                return os.open(path, how, 0o666)
        except PermissionError as error:
            raise _not_allowed(error) from None
        except OSError as error:
            raise _trouble(error, self._path(name)) from None

    def _copy(self, name: str, path: Path) -> None:
        import shutil

        target = self._prepared(name)
        temporary = target.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
        try:
            shutil.copyfile(path, temporary)
            os.replace(temporary, target)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise _trouble(error, target) from None

    def _prepared(self, name: str) -> Path:
        target = self._path(name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except PermissionError as error:
            raise _not_allowed(error) from None
        except OSError as error:
            raise _trouble(error, target) from None
        return target


def _not_allowed(error: OSError) -> BadInput:
    return BadInput(f"no permission for {error.filename}", expected="a folder this user may read and write")


def _trouble(error: OSError, target: Path) -> RemoteTrouble:
    return RemoteTrouble(
        f"cannot write: {error.strerror}", where=str(target), hint="free space on that disk, then run again"
    )
