"""One way from conversations to packed rows, in a process of its own for bench_tokenise_pack.py.

    python tokenise_ways.py ours|again|trl FOLDER PROCESSES

FOLDER holds `samples.jsonl` and `tokenizer`. Prints the seconds that the work took once libraries were imported and the
input's file was there, and what came out.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from datasets import Dataset
from transformers import AutoTokenizer

from contract.config.finetune import Training
from contract.records import Sample
from finetune.data import stream_rows
from finetune.model import quiet
from finetune.rows import open_rows, write_rows
from finetune.tiny import tiny_model
from stagekit.checksums import file_sha256

LENGTH = 2_048


def samples(folder: Path) -> Iterator[Sample]:
    """The samples, one by one."""
    with (folder / "samples.jsonl").open() as lines:
        for number, line in enumerate(lines):
            yield Sample(id=str(number), messages=json.loads(line)["messages"])


def ours(folder: Path, processes: int) -> Dataset:
    """As plan makes them."""
    del processes  # threads: as many as there are cores
    training = Training(max_length=LENGTH)
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
    rows = (row for row in stream_rows(tokenizer, samples(folder), training) if row.targets)
    write_rows(rows, folder / "rows.arrow", training)
    return open_rows(folder / "rows.arrow")


def again(folder: Path, processes: int) -> Dataset:
    """As train reads them, checked like every file of the store."""
    del processes
    file_sha256(folder / "rows.arrow")
    return open_rows(folder / "rows.arrow")


def trl(folder: Path, processes: int) -> Dataset:
    """As SFTTrainer makes them of messages; the model is there because it asks for one."""
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
    cache = str(folder / f"cache-{processes}")
    trainer = SFTTrainer(
        model=tiny_model(len(tokenizer), 0, LENGTH),
        args=SFTConfig(
            output_dir=str(folder / "out"), packing=True, max_length=LENGTH, assistant_only_loss=True,
            dataset_num_proc=processes if processes > 1 else None, use_cpu=True, bf16=False, report_to=[],
        ),
        train_dataset=Dataset.from_json(str(folder / "samples.jsonl"), cache_dir=cache),
        processing_class=tokenizer,
    )  # fmt: skip
    return trainer.train_dataset


def counted(rows: Dataset) -> dict[str, Any]:
    """Figures by which two ways can be told to have made the same."""
    table = rows.with_format("arrow")
    tokens = learned = ids = 0
    for part in table.iter(1_000):
        labels = pc.list_flatten(part["labels"]).to_numpy()
        tokens, learned = tokens + len(labels), learned + int((labels != -100).sum())
        ids += int(pc.list_flatten(part["input_ids"]).to_numpy().astype(np.int64).sum())
    return {"rows": len(rows), "tokens": tokens, "learned": learned, "sum of ids": ids}


def _cpu() -> float:
    """CPU seconds until now, of children that have ended too."""
    return sum(os.times()[:4])


def main() -> None:
    way, folder, processes = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    quiet()
    importlib.import_module("trl.trainer.sft_trainer")  # imports are not the work
    started, cpu = time.perf_counter(), _cpu()
    rows = {"ours": ours, "again": again, "trl": trl}[way](folder, processes)
    seconds, own = time.perf_counter() - started, _cpu() - cpu
    sys.stdout.write(json.dumps({"work": seconds, "cpu": own} | counted(rows)) + "\n")


if __name__ == "__main__":
    main()
