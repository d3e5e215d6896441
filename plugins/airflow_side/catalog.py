"""The small JSON files of the store: manifests, previews, releases, decisions. Never a shard, so it needs no pyarrow.

A page asks for names that came from a browser, so every name is checked here before it becomes a path.
"""

import contextlib
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from pydantic import ValidationError

from airflow_side.settings import read_settings
from contract.failures import BadInput, DamagedData, RemoteTrouble
from contract.manifest import MANIFEST, PREVIEW, Manifest, Preview, parse_manifest
from contract.release import LATEST_FILE, VERSIONS, Release
from contract.stages import BY_NAME, STAGES
from contract.uris import LATEST, Address, parse_uri

RECIPE = re.compile(r"[a-z][a-z0-9_]{0,39}")
KEY = re.compile(r"[0-9a-f]{20}")

LARGEST_FILE = 20_000_000  # bytes of a report that a page may hand out


class Kept(NamedTuple):
    """What is remembered of a manifest: content hashes of what its dataset was made from, and when it was finished."""

    parents: frozenset[str] = frozenset()
    finished: str = ""


_KEPT: dict[str, Kept] = {}


class Files(Protocol):
    """A store as pages need it. Names below its root use `/`. Every method may raise `RemoteTrouble`."""

    def read(self, name: str) -> bytes | None:
        """The whole object, or None where there is none."""

    def folders(self, name: str) -> list[str]:
        """Names of the folders directly below, sorted; names that start with a dot are not shown."""

    def names(self, name: str) -> list[str]:
        """Names of the objects directly below, sorted."""

    def write(self, name: str, data: bytes) -> None:
        """Write or replace an object; readers see the old or the new one, never a part."""

    def delete(self, name: str) -> None:
        """Remove an object; nothing happens where there is none."""


class LocalFiles:
    """A local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, name: str) -> bytes | None:
        """The whole file, or None where there is none."""
        with _disk_trouble(self.root / name):
            try:
                return (self.root / name).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None

    def folders(self, name: str) -> list[str]:
        """Folders directly below."""
        return [path.name for path in self._below(name) if path.is_dir()]

    def names(self, name: str) -> list[str]:
        """Files directly below."""
        return [path.name for path in self._below(name) if path.is_file()]

    def write(self, name: str, data: bytes) -> None:
        """A temporary file beside its place, then a rename."""
        path = self.root / name
        temporary = path.with_name(f".tmp-{uuid.uuid4().hex}")
        with _disk_trouble(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Remove a file."""
        with _disk_trouble(self.root / name):
            (self.root / name).unlink(missing_ok=True)

    def _below(self, name: str) -> Iterator[Path]:
        folder = self.root / name
        with _disk_trouble(folder):
            found = sorted(folder.iterdir()) if folder.is_dir() else []
        return (path for path in found if not path.name.startswith("."))


@contextlib.contextmanager
def _disk_trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RemoteTrouble(f"the disk says: {error.strerror}", where=str(path)) from None


class Catalog:
    """Recipes, releases and datasets of one store."""

    def __init__(self, root: Address, files: Files) -> None:
        self.root = root
        self.files = files

    def recipes(self) -> list[str]:
        """Names of the recipes that have a folder in the store."""
        return [
            name
            for name in self.files.folders("")
            if RECIPE.fullmatch(name) and set(self.files.folders(name)) & BY_NAME.keys()
        ]

    def releases(self, recipe: str) -> list[Release]:
        """Published versions, newest first."""
        names = self.files.names(f"{_recipe(recipe)}/publish/{VERSIONS}")
        found = [self._release(f"{recipe}/publish/{VERSIONS}/{name}") for name in names if name.endswith(".json")]
        return sorted((release for release in found if release), key=lambda release: -release.version)

    def release(self, recipe: str, version: str) -> Release | None:
        """One published version, by number or as `latest`."""
        if version == LATEST:
            return self._release(f"{_recipe(recipe)}/publish/{LATEST_FILE}")
        return next((release for release in self.releases(recipe) if str(release.version) == version), None)

    def datasets(self, recipe: str) -> Iterator[tuple[str, str]]:
        """Stage and key of every dataset of a recipe, in house order."""
        present = set(self.files.folders(_recipe(recipe)))
        for stage in STAGES:
            if stage.name in present:
                yield from ((stage.name, key) for key in self._keys(recipe, stage.name))

    def manifest(self, recipe: str, stage: str, key: str) -> Manifest | None:
        """A dataset's manifest, or None where there is no such dataset."""
        folder = self._folder(recipe, stage, key)
        return self._manifest(folder) if folder else None

    def manifest_at(self, uri: str) -> Manifest | None:
        """The manifest of a dataset by URI; None where it is not in this store, or not there."""
        names = self.names_of(uri)
        return self.manifest(*names) if names else None

    def names_of(self, uri: str) -> tuple[str, str, str] | None:
        """Recipe, stage and key of a dataset of this store; None for other addresses."""
        prefix = f"{str(self.root).rstrip('/')}/"
        parts = str(parse_uri(uri)).removeprefix(prefix).rstrip("/").split("/")
        return (parts[0], parts[1], parts[2]) if str(parse_uri(uri)).startswith(prefix) and len(parts) == 3 else None

    def preview(self, recipe: str, stage: str, key: str) -> Preview:
        """A few rows and ledger entries; empty where a dataset has none."""
        data = self.files.read(f"{self._folder(recipe, stage, key)}/{PREVIEW}")
        try:
            return Preview.model_validate_json(data) if data else Preview()
        except ValidationError:
            raise DamagedData("the preview cannot be read", where=f"{recipe}/{stage}/{key}/{PREVIEW}") from None

    def file(self, recipe: str, stage: str, key: str, name: str) -> bytes | None:
        """A file that the dataset's manifest lists; None for any other name, and for what is too large for a page."""
        manifest = self.manifest(recipe, stage, key)
        listed = {file.path for file in manifest.files if file.bytes <= LARGEST_FILE} if manifest else set()
        return self.files.read(f"{self._folder(recipe, stage, key)}/{name}") if name in listed else None

    def children(self, recipe: str, content_hash: str) -> list[tuple[str, str]]:
        """Stage and key of the recipe's datasets that were made from this one."""
        return [
            (stage, key)
            for stage, key in self.datasets(recipe)
            if content_hash in self._kept(f"{recipe}/{stage}/{key}").parents
        ]

    def has(self, recipe: str, stage: str) -> bool:
        """Whether the recipe has a folder of that stage's datasets."""
        return stage in self.files.folders(_recipe(recipe))

    def newest(self, recipe: str, stage: str) -> str | None:
        """The key of the stage's dataset that was finished last."""
        found = [(self._kept(f"{_recipe(recipe)}/{stage}/{key}").finished, key) for key in self._keys(recipe, stage)]
        return max((each for each in found if each[0]), default=(None, None))[1]

    def _keys(self, recipe: str, stage: str) -> list[str]:
        return [key for key in self.files.folders(f"{recipe}/{stage}") if KEY.fullmatch(key)]

    def _folder(self, recipe: str, stage: str, key: str) -> str | None:
        """The dataset's folder; None for names that no dataset can have."""
        if not RECIPE.fullmatch(recipe) or stage not in BY_NAME:
            return None
        if key == LATEST:
            release = self.release(recipe, LATEST) if stage == "publish" else None
            key = release.key if release else ""
        return f"{recipe}/{stage}/{key}" if KEY.fullmatch(key) else None

    def _manifest(self, folder: str) -> Manifest | None:
        data = self.files.read(f"{folder}/{MANIFEST}")
        return parse_manifest(data, where=folder) if data else None

    def _kept(self, folder: str) -> Kept:
        """A little of a dataset's manifest, remembered, since a manifest never changes."""
        place = f"{self.root}/{folder}"
        if place not in _KEPT and (manifest := self._manifest(folder)):
            _KEPT[place] = Kept(frozenset(parent.content_hash for parent in manifest.parents), manifest.finished)
        return _KEPT.get(place, Kept())

    def _release(self, name: str) -> Release | None:
        data = self.files.read(name)
        try:
            return Release.model_validate_json(data) if data else None
        except ValidationError:
            raise DamagedData("the release cannot be read", where=f"{self.root}/{name}") from None


def open_catalog() -> Catalog:
    """The catalog of the store that the settings name."""
    root = read_settings().store
    if root.scheme == "file":
        return Catalog(root, LocalFiles(Path(root.path)))
    from airflow_side.catalog_s3 import S3Files  # its SDK takes 0.2 s, which no reading of a DAG file should pay

    return Catalog(root, S3Files(root))


def _recipe(name: str) -> str:
    if not RECIPE.fullmatch(name):
        raise BadInput(f"no recipe can be called {name!r}")
    return name
