"""The content hash: the same rows in the same order give the same hash, however they are spread over shards.

Each leaf column has its own SHA-256 streams of values, lengths and nulls, so that no batch boundary ever enters a hash.
Our own because no library hashes Arrow data independently of its chunking.
"""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.keys import digest
from contract.manifest import File


class ContentHash:
    """Feed batches in row order, then ask for the digest."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.rows = 0
        self._streams: dict[str, hashlib._Hash] = {}

    def update(self, batch: pa.RecordBatch) -> None:
        """Take in the rows of one batch of the schema given."""
        self.rows += batch.num_rows
        for field, column in zip(self.schema, batch.columns, strict=True):
            self._column(field.name, column)

    def hexdigest(self, files: list[File]) -> str:
        """SHA-256 over schema, rows and the hashed files, as 64 hexadecimal digits."""
        return digest(
            {
                "columns": [(field.name, str(field.type)) for field in self.schema],
                "rows": self.rows,
                "streams": {name: stream.hexdigest() for name, stream in sorted(self._streams.items())},
                "files": sorted((file.path, file.sha256) for file in files if file.hashed),
            }
        )

    def _column(self, path: str, array: pa.Array) -> None:
        self._feed(f"{path}/valid", pc.is_valid(array).cast(pa.uint8()).to_numpy(zero_copy_only=False))
        if pa.types.is_struct(array.type):
            for field, child in zip(array.type, array.flatten(), strict=True):
                self._column(f"{path}.{field.name}", child)
        elif pa.types.is_list(array.type):
            self._lengths(path, pc.list_value_length(array))
            self._column(f"{path}[]", array.flatten())
        elif pa.types.is_string(array.type):
            self._lengths(path, pc.binary_length(array))
            self._text(path, array)
        else:
            self._feed(path, pc.fill_null(array, array.type.to_pandas_dtype()()).to_numpy(zero_copy_only=False))

    def _lengths(self, path: str, lengths: pa.Array) -> None:
        self._feed(f"{path}/length", pc.fill_null(lengths, 0).cast(pa.int64()).to_numpy(zero_copy_only=False))

    def _text(self, path: str, array: pa.Array) -> None:
        whole = pc.fill_null(array, "")
        offsets = np.frombuffer(whole.buffers()[1], np.int32)[whole.offset : whole.offset + len(whole) + 1]
        data = whole.buffers()[2]
        if data is not None and len(whole):
            self._stream(path).update(memoryview(data)[offsets[0] : offsets[-1]])

    def _feed(self, path: str, values: np.ndarray) -> None:
        self._stream(path).update(np.ascontiguousarray(values).data)

    def _stream(self, path: str) -> "hashlib._Hash":
        return self._streams.setdefault(path, hashlib.sha256())
