"""A record as the document that a source's mapping makes of it."""

import json

from contract.records import Document
from curate.found import Rejected
from curate.ingest.mapping import COLUMNS, Mapper


def document_from(found, source, name="src", limit=1_000):
    """What the source's mapping makes of a record, as a document."""
    mapped = Mapper(source, name, limit)(found)
    if isinstance(mapped, Rejected):
        return mapped
    values = dict(zip(COLUMNS, mapped.values, strict=True))
    return Document.model_validate(values | {"metadata": json.loads(values["metadata"])})
