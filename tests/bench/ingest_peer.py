"""datatrove's readers, run by bench_ingest.py in their own Python: a file of rows to documents in Parquet.

    python ingest_peer.py FORMAT FOLDER OUT

Needs `datatrove[io,processing] orjson`. One task in one process, as its users run it on one machine.
"""

import sys

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import CSVReader, JsonlReader, ParquetReader
from datatrove.pipeline.writers import ParquetWriter

READERS = {"jsonl": JsonlReader, "jsonl.gz": JsonlReader, "csv": CSVReader, "parquet": ParquetReader}


def main(form: str, folder: str, out: str) -> None:
    reader = READERS[form](folder, glob_pattern=f"*.{form}")
    steps = [reader, ParquetWriter(f"{out}/rows", compression="zstd")]
    LocalPipelineExecutor(steps, tasks=1, logging_dir=f"{out}/logs", skip_completed=False).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
