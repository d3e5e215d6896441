"""Scores of samples: batches of like lengths against the pipeline of transformers, by the same random encoder.

    OMP_WAIT_POLICY=PASSIVE PYTHONPATH=images/shared:images/finetune:tests \\
        .venv/finetune/bin/python tests/bench/bench_rate.py

Paragraphs of the articles in ../shared/data, joined to texts of 20 to 1,000 words as they come; a BERT of 3 layers of
256 with weights from a seed; 1 thread; medians of 5, the ways in turn. The pipeline is that of the project's own
transformers: batches of 32 in the order of the rows, and one by one.
"""

import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, pipeline

from contract.config.rate import RateConfig
from finetune.model import quiet
from finetune.rate.inputs import Reader, batches
from finetune.rate.scorer import Scorer
from finetune.tiny import train_tokenizer
from published import sample

DATA = Path(os.environ.get("NOCTURNE_SHARED_DATA", "../shared/data")) / "articles.json"
ROWS, TIMES, THREADS, LONGEST = 64, 5, 1, 512


def texts() -> list[str]:
    """Texts of many lengths."""
    rng = random.Random(0)
    words = " ".join(article["content"] for article in json.loads(DATA.read_text())["artifact_data"]).split()
    lengths = [min(1_000, max(20, int(rng.lognormvariate(4.5, 0.9)))) for _ in range(ROWS)]
    return [" ".join(words[(start := rng.randrange(len(words) - 1_000)) : start + length]) for length in lengths]


def make_model(folder: Path, some: list[str]) -> None:
    """An encoder with one output."""
    words = train_tokenizer(some, vocabulary=8_000)
    words.model_max_length = LONGEST
    words.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=256, intermediate_size=1_024, num_hidden_layers=3, num_attention_heads=4,
        num_labels=1, pad_token_id=words.pad_token_id, max_position_embeddings=LONGEST,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)


def timed(ways: dict[str, Callable[[], object]]) -> dict[str, tuple[float, float]]:
    """Wall and CPU seconds of each way, medians."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(TIMES):
        for name, way in ways.items():
            started, cpu = time.perf_counter(), time.process_time()
            way()
            seconds[name].append((time.perf_counter() - started, time.process_time() - cpu))
    return {
        name: (statistics.median(a for a, _ in some), statistics.median(b for _, b in some))
        for name, some in seconds.items()
    }


def main() -> None:
    torch.set_num_threads(THREADS)
    quiet()
    some = texts()
    samples = [sample(n, "train", ("user", "Why?"), ("assistant", text)) for n, text in enumerate(some)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_model(folder, some)
        config = RateConfig(model=name, field="answer", max_length=LONGEST)
        scorer = Scorer(folder, config, torch.device("cpu"), torch.float32)
        words = AutoTokenizer.from_pretrained(folder)
        reader = Reader(words, config, scorer.longest(words))
        peer = pipeline("text-classification", model=name, device=-1, function_to_apply="none")

        def ours() -> dict[int, float]:
            found = {}
            for batch in batches(reader.read(samples), config.batch_tokens):
                found |= dict(zip((row.place for row in batch), scorer.outputs(batch)[:, 0].tolist(), strict=True))
            return found

        def theirs(size: int) -> list[float]:
            return [row["score"] for row in peer(some, batch_size=size, truncation=True, max_length=LONGEST)]

        scores, wanted = ours(), theirs(1)
        furthest = max(abs(scores[place] - score) for place, score in enumerate(wanted))
        found = timed({"rate": ours, "pipeline, 32": lambda: theirs(32), "pipeline, 1": lambda: theirs(1)})
    least = found["rate"][0]
    lines = [f"{name:<14}{wall:>8.2f} s{cpu:>9.2f} s CPU{wall / least:>8.2f} x" for name, (wall, cpu) in found.items()]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    sys.stdout.write("\n".join(lines) + f"\nfurthest score {furthest:.1e}; peak of all {peak:,.0f} MB\n")


if __name__ == "__main__":
    main()
