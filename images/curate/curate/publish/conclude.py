"""After the dataset stands: number it as a version, say what changed, move `latest`, and put it on the Hub if asked to.

`versions/NNNN.json` is the truth; its number is taken by a write that only one of several runs can make. `latest.json`
is a pointer to the highest of them, set again until it is so, whoever else is publishing. Running it again changes
nothing; going back to an older dataset is a new version that names the old folder. In S3 a version's objects are tagged
with `recipe` and `version`, so that lifecycle rules can tell what was published from what was made on the way.
"""

import logging
from datetime import UTC, datetime

from contract.config.publish import PublishConfig
from contract.manifest import Manifest
from contract.release import LATEST_FILE, VERSIONS, Change, Release
from contract.uris import Address
from stagekit.store import Store, open_store

LOG = logging.getLogger("nocturne")


def conclude(address: Address, manifest: Manifest) -> None:
    """Publish the dataset at `address`, unless it is what is published already.

    Raises what `curate.publish.hub` does, where the dataset also goes to the Hub; it is published here by then.
    """
    parent, _, key = address.path.rpartition("/")
    folder = address._replace(path=parent)
    store = open_store(folder)
    newest = _newest(store)
    while newest is None or (newest.key, newest.content_hash) != (key, manifest.content_hash):
        release = _next(folder, key, manifest, newest)
        if store.create(_name(release.version), _json(release)):
            LOG.info("published", extra={"fields": {"version": release.version, "key": key, "rows": release.rows}})
            newest = release
            break
        newest = _newest(store)
    _point_latest(store)
    _tag(store, manifest, newest)
    _push(address, manifest)


def _tag(store: Store, manifest: Manifest, release: Release) -> None:
    """Said again each time: a run may have been killed before it had come so far."""
    if store.root.scheme != "s3":
        return
    labels = {"recipe": manifest.recipe or "", "version": str(release.version)}
    tagged = [store.label(entry.name, labels) for entry in store.list(f"{release.key}/")]
    if not all(tagged):
        why = "the S3 server or its policy does not let tags be set"
        LOG.warning("not tagged", extra={"fields": {"objects": tagged.count(False), "why": why}})


def _push(address: Address, manifest: Manifest) -> None:
    config = PublishConfig.model_validate(manifest.config)
    if not config.hub:
        return
    from curate.publish.hub import push_to_hub  # the Hub's client takes half a second to import
    from stagekit.dataset import open_dataset

    if dataset := open_dataset(address):
        push_to_hub(dataset, config, LOG)


def _newest(store: Store) -> Release | None:
    """The highest version there is."""
    stems = [entry.name.removeprefix(f"{VERSIONS}/").removesuffix(".json") for entry in store.list(f"{VERSIONS}/")]
    data = store.read(_name(max(int(stem) for stem in stems if stem.isdecimal()))) if stems else None
    return Release.model_validate_json(data) if data else None


def _next(folder: Address, key: str, manifest: Manifest, previous: Release | None) -> Release:
    return Release(
        version=previous.version + 1 if previous else 1,
        key=key,
        content_hash=manifest.content_hash,
        rows=manifest.rows_out,
        published_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        previous=previous.version if previous else None,
        change=_change(folder, key, previous) if previous else None,
    )


def _change(folder: Address, key: str, previous: Release) -> Change | None:
    """The difference from the previous version; None where that one's folder was cleaned away."""
    from curate.publish.difference import difference  # pyarrow loads only when there is something to compare
    from stagekit.dataset import open_dataset

    before, after = open_dataset(folder.child(previous.key)), open_dataset(folder.child(key))
    if before is None or after is None:
        LOG.warning("previous version is gone", extra={"fields": {"version": previous.version, "key": previous.key}})
        return None
    return difference(before, after)


def _point_latest(store: Store) -> None:
    """Another run may add a version between reading and writing, so read again after writing."""
    while (newest := _newest(store)) and store.read(LATEST_FILE) != (data := _json(newest)):
        store.write(LATEST_FILE, data)


def _json(release: Release) -> bytes:
    text: str = release.model_dump_json(indent=1)
    return text.encode()


def _name(version: int) -> str:
    return f"{VERSIONS}/{version:04d}.json"
