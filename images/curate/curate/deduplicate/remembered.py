"""What a result remembers of its rows: a file beside them, which a later run reads instead of the texts."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from curate.deduplicate.bands import bands_for
from curate.deduplicate.facts import Facts
from curate.deduplicate.lookup import find, index_of
from curate.deduplicate.verdicts import KEPT, Verdicts
from curate.scan.arrays import F64s, I64s, U8s, U64s
from stagekit.dataset import Dataset

FILE = "sketches.arrow"
ROWS = 50_000  # of one Arrow batch
OWN_FIELDS = ("field", "ngram", "seed", "engine", "exact", "near")


@dataclass
class Remembered:
    """Rows of an earlier result, in the order of its input: their facts and how each ended.

    `partner` holds the identity of the row that was kept instead, zeros for a kept row.
    """

    facts: Facts
    partner: U64s
    rule: U8s
    similarity: F64s

    @property
    def kept(self) -> I64s:
        """Numbers of the rows that were kept."""
        return np.flatnonzero(~self.partner.any(axis=1))

    def places(self, identity: U64s) -> I64s:
        """Where rows of these identities are, -1 where there are none."""
        return find(identity, self.facts.identity, self._index)

    def known(self, identity: U64s) -> int:
        """How many rows of these identities there are."""
        return int((self.places(identity) >= 0).sum())

    @cached_property
    def _index(self) -> I64s:
        return index_of(self.facts.identity, np.arange(len(self.facts)))


def remembered(dataset: Dataset, config: DeduplicateConfig, version: int) -> Remembered | None:
    """What a dataset remembers, if it was made so that its sketches serve these settings too; else None."""
    manifest = dataset.manifest
    if manifest.stage != "deduplicate" or FILE not in {file.path for file in manifest.files}:
        return None
    made = DeduplicateConfig.model_validate(manifest.config)
    alike = all(getattr(made, name) == getattr(config, name) for name in OWN_FIELDS)
    if manifest.stage_version != version or not alike or bands_for(made.threshold) != bands_for(config.threshold):
        return None
    return _load(dataset.file(FILE))


def remember(path: Path, facts: Facts, verdicts: Verdicts, first_row: int) -> None:
    """Write the file of the rows from `first_row` on."""
    identity = facts.identity
    with pa.OSFile(str(path), "wb") as sink:
        writer = None
        for start in range(first_row, len(facts), ROWS):
            rows = slice(start, start + ROWS)
            partner = np.where(
                (verdicts.partner[rows] == KEPT)[:, None], np.uint64(0), identity[verdicts.partner[rows]]
            )
            columns = {field.name: getattr(facts, field.name)[rows] for field in fields(facts)}
            columns |= {"partner": partner, "rule": verdicts.rule[rows], "similarity": verdicts.similarity[rows]}
            batch = pa.RecordBatch.from_pydict({name: _column(values) for name, values in columns.items()})
            writer = writer or pa.ipc.new_file(sink, batch.schema)
            writer.write(batch)
        if writer:
            writer.close()


def _load(path: Path) -> Remembered:
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    own = {name: _values(table.column(name)) for name in ("partner", "rule", "similarity")}
    own["partner"] = own["partner"].view(np.uint64)
    facts = {field.name: _values(table.column(field.name)) for field in fields(Facts)}
    facts |= {name: facts[name].view(np.uint64) for name in ("identity", "normalised", "shingled")}
    return Remembered(Facts(**facts), **own)


def _column(values: np.ndarray) -> pa.Array:
    """Rows of bytes as Arrow has them: one value of fixed width for each row."""
    if values.ndim == 1:
        return pa.array(values)
    data = np.ascontiguousarray(values)
    width = data.shape[1] * data.itemsize
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(data), [None, pa.py_buffer(data)])


def _values(column: pa.ChunkedArray) -> np.ndarray:
    return np.concatenate(list(_chunks(column)))


def _chunks(column: pa.ChunkedArray) -> Iterator[np.ndarray]:
    for chunk in column.chunks:
        if not pa.types.is_fixed_size_binary(chunk.type):
            yield chunk.to_numpy()
            continue
        width = chunk.type.byte_width
        data = np.frombuffer(chunk.buffers()[1] or b"", np.uint8, len(chunk) * width, chunk.offset * width)
        yield data.reshape(len(chunk), width)
