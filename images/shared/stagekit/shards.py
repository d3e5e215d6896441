"""Rows to Parquet files of bounded size, in bounded memory."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contract.manifest import Shard
from stagekit.checksums import file_sha256

GROUP_ROWS = 10_000  # small enough that a reader's batch never holds much, large enough to compress well
GROUP_BYTES = 32 << 20


class ShardWriter:
    """Writes batches in order into `<folder>/part-NNNNN.parquet`, `shard_rows` rows each.

    A thread compresses and writes one row group while the next is gathered, so two are in memory at most. `closed` is
    called in that thread with each finished file and its entry. What goes wrong there is raised by the next call.
    """

    def __init__(
        self, root: Path, folder: str, schema: pa.Schema, shard_rows: int, closed: Callable[[Shard, Path], None]
    ) -> None:
        self.schema, self.shard_rows = schema, shard_rows
        self._files = _Files(root, folder, schema, closed)
        self._held: list[pa.RecordBatch] = []
        self._held_rows = self._rows_in_file = 0
        self._thread = ThreadPoolExecutor(1, "shards")
        self._writing: Future[None] | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Append a batch."""
        while batch.num_rows:
            room = min(self.shard_rows - self._rows_in_file, GROUP_ROWS) - self._held_rows
            part, batch = batch.slice(0, room), batch.slice(min(room, batch.num_rows))
            self._held.append(part)
            self._held_rows += part.num_rows
            self._flush_if_full()

    def close(self) -> list[Shard]:
        """Finish the last file and return all entries, in order."""
        self._flush(last_of_file=True)
        self._wait()
        self.stop()
        return self._files.shards

    def stop(self) -> None:
        """Write no more; returns when nothing is being written."""
        self._thread.shutdown(cancel_futures=True)

    def _flush_if_full(self) -> None:
        last_of_file = self._rows_in_file + self._held_rows >= self.shard_rows
        if last_of_file or self._held_rows >= GROUP_ROWS or sum(b.nbytes for b in self._held) >= GROUP_BYTES:
            self._flush(last_of_file)

    def _flush(self, last_of_file: bool) -> None:
        self._wait()
        table = pa.Table.from_batches(self._held, self.schema)
        self._writing = self._thread.submit(self._files.write, table, last_of_file)
        self._rows_in_file = 0 if last_of_file else self._rows_in_file + self._held_rows
        self._held, self._held_rows = [], 0

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing:
            writing.result()


class _Files:
    """The files, one after another, each under its final name when it is whole."""

    def __init__(self, root: Path, folder: str, schema: pa.Schema, closed: Callable[[Shard, Path], None]) -> None:
        self.root, self.folder, self.schema, self.closed = root, folder, schema, closed
        self.shards: list[Shard] = []
        self._file: pq.ParquetWriter | None = None
        self._rows = 0

    def write(self, table: pa.Table, last_of_file: bool) -> None:
        """Append a row group, if it has rows."""
        if table.num_rows:
            self._append(table)
        if last_of_file:
            self._finish()

    def _append(self, table: pa.Table) -> None:
        if self._file is None:
            self._open_path().parent.mkdir(parents=True, exist_ok=True)
            self._file = pq.ParquetWriter(self._open_path(), self.schema, compression="zstd")
        self._file.write_table(table)
        self._rows += table.num_rows

    def _finish(self) -> None:
        if self._file is None:
            return
        self._file.close()
        self._file = None
        self._rows, rows = 0, self._rows
        self.shards.append(self._named_by_content(rows))

    def _named_by_content(self, rows: int) -> Shard:
        """Rename to a name that holds the content's hash: two writers of one dataset can never overwrite each other."""
        path = self._open_path()
        sha256 = file_sha256(path)
        name = f"{self.folder}/part-{len(self.shards):05d}-{sha256[:8]}.parquet"
        final = path.rename(self.root / name)
        shard = Shard(path=name, rows=rows, bytes=final.stat().st_size, sha256=sha256)
        self.closed(shard, final)
        return shard

    def _open_path(self) -> Path:
        return self.root / self.folder / "open.parquet"
