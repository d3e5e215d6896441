"""Parquet files read in pieces, whatever their row groups are.

By default Arrow keeps a file's compressed columns until the file's end, and a column of a row group at once even
without that: reading 10 GB would take as much memory as they take on disk.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

READ_AHEAD = 1 << 20  # bytes of each column
BATCH_BYTES = 8 << 20  # rows of megabytes each must still fit


def read_batches(path: Path | str, rows: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """A file's rows in order, as batches of at most `rows` rows, and of about 8 MB at most if rows are alike.

    Raises what Arrow does when the file is not Parquet, or damaged.
    """
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=READ_AHEAD) as file:
        yield from file.iter_batches(_batch_rows(file.metadata, rows), columns=columns)


def _batch_rows(metadata: pq.FileMetaData, most: int) -> int:
    """As many rows as make a batch of moderate size, going by the file's own figures."""
    size = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    return int(max(1, min(most, BATCH_BYTES * metadata.num_rows // max(size, 1))))
