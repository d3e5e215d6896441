"""Near-duplicates by two curation toolkits, run by bench_near_duplicates.py, each in its own Python.

    python near_pipelines.py datatrove|data_juicer FILE.parquet OUT.npy    numbers of the rows kept; prints seconds

datatrove needs datatrove[io,processing], spacy and orjson; data_juicer needs py-data-juicer, aiohttp and torch, which
it else installs when it is first used. Word 5-grams and two processes; 14 bands of 8 rows, which are datatrove's own,
and 14 of 9 for data_juicer.
`work` of datatrove holds its four stages with their reading, since they meet only through files; that of data_juicer
begins with the texts in memory. Imports are in neither.
"""

import json
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

PROCESSES = 2
THRESHOLD, FUNCTIONS, BANDS, ROWS = 0.7, 128, 14, 9


def datatrove(file: str, folder: Path) -> tuple[list[int], float]:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline import dedup
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter

    rows, paths = pq.read_table(file), {name: str(folder / name) for name in ("in", "sigs", "buckets", "drop", "out")}
    Path(paths["in"]).mkdir()
    for part, first in enumerate(range(0, len(rows), half := -(-len(rows) // PROCESSES))):
        pq.write_table(rows.slice(first, half), f"{paths['in']}/{part}.parquet")
    config = dedup.MinhashConfig(n_grams=5)
    stages = [
        (PROCESSES, [ParquetReader(paths["in"]), dedup.MinhashDedupSignature(paths["sigs"], config)]),
        (config.num_buckets, [dedup.MinhashDedupBuckets(paths["sigs"], paths["buckets"], config=config)]),
        (1, [dedup.MinhashDedupCluster(paths["buckets"], paths["drop"], config)]),
        (
            PROCESSES,
            [
                ParquetReader(paths["in"]),
                dedup.MinhashDedupFilter(paths["drop"]),
                JsonlWriter(paths["out"], compression=None),
            ],
        ),
    ]
    started = time.perf_counter()
    for number, (tasks, pipeline) in enumerate(stages):
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=PROCESSES, logging_dir=str(folder / f"log{number}")).run()
    seconds = time.perf_counter() - started
    kept = [json.loads(line)["id"] for path in Path(paths["out"]).glob("*") for line in path.open(encoding="utf-8")]
    return sorted(map(int, kept)), seconds


def data_juicer(file: str, folder: Path) -> tuple[list[int], float]:
    os.environ |= {"HF_HOME": str(folder), "HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    from data_juicer.core.data import NestedDataset
    from data_juicer.ops.deduplicator.document_minhash_deduplicator import DocumentMinhashDeduplicator

    rows = NestedDataset.from_dict(pq.read_table(file).to_pydict())
    dedup = DocumentMinhashDeduplicator(
        window_size=5,
        jaccard_threshold=THRESHOLD,
        num_permutations=FUNCTIONS,
        num_bands=BANDS,
        num_rows_per_band=ROWS,
        num_proc=PROCESSES,
    )
    started = time.perf_counter()
    kept = dedup.run(rows)
    seconds = time.perf_counter() - started
    return sorted(map(int, kept["id"])), seconds


NAMES = {"datatrove": datatrove, "data_juicer": data_juicer}

if __name__ == "__main__":
    logging.disable(logging.INFO)
    name, file, out = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        kept, seconds = NAMES[name](file, Path(folder))
    np.save(out, np.array(kept))
    sys.stdout.write(json.dumps({"work": seconds}) + "\n")
