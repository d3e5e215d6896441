"""Sources before a dataset's key is made: what is at each of them now, as a hash.

Files and folders are hashed where they lie. Anything else (the web, the Hugging Face Hub) is gathered by its image: a
module `<image>.gather` with `gather(source, folder) -> (uri, content hash)` fetches what is new into the cache that
belongs to `folder`, so that a source that did not change gives the same key, and the stage itself never goes outside.
"""

import importlib
import importlib.util

from contract.config.base import Source
from contract.failures import BadConfig
from contract.manifest import Parent
from contract.redact import redacted
from contract.uris import Address, is_gathered
from stagekit.sources import SOURCES, fingerprint


def source_parent(image: str, source: Source, folder: Address) -> Parent:
    """A source as a parent of the dataset that will be made from it."""
    if not is_gathered(source.uri):
        return Parent(input=SOURCES, uri=source.uri, content_hash=fingerprint(source))
    name = f"{image}.gather"
    if importlib.util.find_spec(name) is None:
        raise BadConfig(f"{redacted(source.uri)!r} is no file", expected=f"a file or folder, as {image} reads no other")
    uri, content_hash = importlib.import_module(name).gather(source, folder)
    return Parent(input=SOURCES, uri=uri, content_hash=content_hash)
