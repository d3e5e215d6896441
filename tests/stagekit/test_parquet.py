"""Parquet is read in bounded memory, however a file was written."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stagekit.parquet import BATCH_BYTES, READ_AHEAD, read_batches

ROWS, ROW_BYTES = 3_000, 20_000


@pytest.fixture(scope="module")
def texts():
    """60 MB of UTF-8 that nothing compresses."""
    import numpy as np

    data = np.random.default_rng(0).integers(33, 127, ROWS * ROW_BYTES, np.uint8)
    offsets = np.arange(0, ROWS * ROW_BYTES + 1, ROW_BYTES, np.int32)
    return pa.Array.from_buffers(pa.string(), ROWS, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


@pytest.mark.parametrize("group_rows", [100, ROWS])
def test_reading_holds_a_few_batches_and_no_more(tmp_path, texts, group_rows):
    pages = {"compression": "zstd", "write_batch_size": 50}  # of a megabyte each
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", row_group_size=group_rows, **pages)
    before, most, number = pa.total_allocated_bytes(), 0, 0
    for batch in read_batches(tmp_path / "a.parquet", 2_000):
        assert batch.column("text").equals(texts.slice(number, batch.num_rows))
        assert batch.nbytes <= BATCH_BYTES + READ_AHEAD, "rows of 20 kB come fewer at a time"
        number += batch.num_rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert number == ROWS
    assert most < 4 * BATCH_BYTES < texts.nbytes / 1.5
