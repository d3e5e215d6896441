"""Names that follow from content: canonical JSON, hashes, and a dataset's key."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
KEY_LENGTH = 20  # 80 bits: short enough for a path, and no two of a store's datasets will ever share it


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, characters unescaped."""
    return _canonical.encode(value)


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def dataset_key(stage: str, version: int, config: Mapping[str, Any], parents: Mapping[str, list[str]]) -> str:
    """The key under which a stage's dataset is stored.

    `config` holds only the fields that can change the result; `parents` maps each input's name to the content hashes of
    the datasets (or sources) that it reads, in order.
    """
    identity = {"stage": stage, "version": version, "config": config, "parents": parents}
    return digest(identity)[:KEY_LENGTH]
