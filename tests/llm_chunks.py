"""Datasets of chunks to write about."""

import random
from pathlib import Path

from contract.records import Chunk
from curate_texts import write_dataset

WORDS = """pipeline model vector index feature store scheduler container cache ledger shard gradient token
reads writes holds moves checks counts splits joins drops keeps ranks serves
every night before training after the split in bounded memory without a lock at low cost for each user"""
SUBJECTS, VERBS, DETAILS = (line.split() for line in WORDS.splitlines())


def synthetic_chunks(documents: int, each: int, salt: str = "") -> list[Chunk]:
    """Chunks of 1,000 to 2,000 characters in whole sentences, `each` per document."""
    return [_chunk(f"doc-{d}", n, salt) for d in range(documents) for n in range(each)]


def _chunk(document: str, ordinal: int, salt: str) -> Chunk:
    rng = random.Random(f"{document}:{ordinal}:{salt}")
    text, length = "", rng.randint(1_000, 1_900)
    while len(text) < length:
        words = [rng.choice(SUBJECTS), rng.choice(VERBS), "the", rng.choice(SUBJECTS), *rng.sample(DETAILS, 6)]
        text += ("The " if not text else " The ") + " ".join(words) + f" {rng.randint(1, 999)}."
    start = ordinal * 2_000
    return Chunk(
        id=f"{document}:{start}:{salt}",
        document_id=document,
        ordinal=ordinal,
        start=start,
        end=start + len(text),
        text=text,
        title=f"Notes on {document}",
        author="A. Writer",
        source="synthetic",
        license="MIT",
    )


def write_chunks(folder: Path, chunks: list[Chunk], name: str = "chunks") -> str:
    """A finished dataset of those chunks; returns its path."""
    return write_dataset(folder / name, chunks, Chunk, stage="chunk", shard_rows=50_000)
