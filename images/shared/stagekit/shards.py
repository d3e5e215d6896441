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

    A thread encodes and compresses one row group while the next one is collected, so at most two are held in memory.
    `closed` is called with each finished file and its entry, by the thread that writes batches. What fails in the
    background is raised by a later `write` or by `close`.
    """

    def __init__(
        self, root: Path, folder: str, schema: pa.Schema, shard_rows: int, closed: Callable[[Shard, Path], None]
    ) -> None:
        self.root, self.folder, self.schema, self.shard_rows, self.closed = root, folder, schema, shard_rows, closed
        self.shards: list[Shard] = []
        self._held: list[pa.RecordBatch] = []
        self._file: pq.ParquetWriter | None = None
        self._rows_in_file = 0
        self._pool: ThreadPoolExecutor | None = None
        self._work: Future[Path | None] | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Append a batch."""
        while batch.num_rows:
            room = min(self.shard_rows - self._rows_in_file, GROUP_ROWS) - self._held_rows
            part, batch = batch.slice(0, room), batch.slice(min(room, batch.num_rows))
            self._held.append(part)
            self._flush_if_full()

    def close(self) -> list[Shard]:
        """Finish the last file and return all entries, in order."""
        self._flush()
        self._finish_file()
        self._settle()
        self.abandon()
        return self.shards

    def abandon(self) -> None:
        """Write no more: wait for what is being written, whatever comes of it."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    @property
    def _held_rows(self) -> int:
        return sum(batch.num_rows for batch in self._held)

    def _flush_if_full(self) -> None:
        last_of_file = self._rows_in_file + self._held_rows >= self.shard_rows
        if last_of_file or self._held_rows >= GROUP_ROWS or sum(b.nbytes for b in self._held) >= GROUP_BYTES:
            self._flush()
        if last_of_file:
            self._finish_file()

    def _flush(self) -> None:
        if not self._held:
            return
        table = pa.Table.from_batches(self._held, self.schema)
        self._open_path().parent.mkdir(parents=True, exist_ok=True)
        self._rows_in_file += table.num_rows
        self._held = []
        self._in_background(lambda: self._put(table))

    def _finish_file(self) -> None:
        if self._rows_in_file:
            self._rows_in_file, rows = 0, self._rows_in_file
            self._in_background(lambda: self._named_by_content(rows))

    def _in_background(self, work: Callable[[], Path | None]) -> None:
        """Do some work after what was begun before, of which one piece at most is still going on."""
        self._settle()
        self._pool = self._pool or ThreadPoolExecutor(1, f"write-{self.folder}")
        self._work = self._pool.submit(work)

    def _settle(self) -> None:
        """Wait for what is being written."""
        work, self._work = self._work, None
        if work and (final := work.result()):
            self.closed(self.shards[-1], final)

    def _put(self, table: pa.Table) -> None:
        if self._file is None:
            self._file = pq.ParquetWriter(self._open_path(), self.schema, compression="zstd")
        self._file.write_table(table)

    def _named_by_content(self, rows: int) -> Path:
        """Close the file, and rename it to a name that holds the content's hash: two writers of one dataset can never
        overwrite each other."""
        assert self._file, "a file has rows before it is finished"
        self._file.close()
        self._file = None
        path = self._open_path()
        sha256 = file_sha256(path)
        name = f"{self.folder}/part-{len(self.shards):05d}-{sha256[:8]}.parquet"
        final = path.rename(self.root / name)
        self.shards.append(Shard(path=name, rows=rows, bytes=final.stat().st_size, sha256=sha256))
        return final

    def _open_path(self) -> Path:
        return self.root / self.folder / "open.parquet"
