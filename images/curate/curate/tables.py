"""Records of small tables from outside the house: benchmarks, and general datasets to mix in."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from contract.config.base import Table
from contract.failures import BadInput, RemoteTrouble
from curate.found import DAMAGE, Found, Rejected, SourceFile
from curate.readers import READERS, format_of
from stagekit.sources import source_files

FORMATS = ("jsonl", "json", "csv", "parquet")
LARGEST = 50_000_000  # bytes of one record


def read_table(source: Table) -> Iterator[Found | Rejected]:
    """All records of a source's files, in the order of file names; also of compressed ones.

    Raises `BadInput` for a file of another kind, or one that cannot be read as a whole.
    """
    store, entries = source_files(source)
    for entry in entries:
        form = format_of(entry.name)
        if form not in FORMATS:
            expected = f"one of {', '.join(FORMATS)}, by its ending"
            raise BadInput(f"{entry.name!r} is no table", expected=expected, where=source.uri)
        with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
            path = store.fetch(entry.name, Path(folder))
            if path is None:
                raise RemoteTrouble("the file vanished while the source was read", where=entry.name, hint="run again")
            file = SourceFile(path, entry.name, LARGEST, source.records_at)
            try:
                yield from READERS[form](file)
            except DAMAGE as error:
                raise file.damaged(error) from None


def problem_of(reject: Rejected) -> str:
    """What is wrong with a record, in words."""
    return f"{reject.rule.replace('_', ' ')}{f': {reject.value}' if reject.value else ''}"
