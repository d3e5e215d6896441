"""The semantic pass over a corpus: make vectors of its rows, then decide."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from contract.config.embedding import Embedding
from curate.deduplicate.corpus import Corpus
from curate.deduplicate.facts import Facts
from curate.deduplicate.semantic import Nodes, semantic_duplicates
from curate.deduplicate.standing import hand_back, places_of
from curate.deduplicate.verdicts import SEMANTIC, Start
from curate.embed.cache import remembering
from curate.embed.embedder import Embedder, Vectors
from curate.embed.load import embedder
from curate.embed.skipgram import training_rows
from curate.room import room
from curate.scan.arrays import I64s
from curate.text import column_of, rows_text
from stagekit.store import Store

CHARACTERS = 6  # of a word and the space after it, in about all languages that have spaces


def fold_meanings(
    corpus: Corpus, facts: Facts, config: DeduplicateConfig, start: Start, order: I64s, cache: Store | None = None
) -> None:
    """Drop rows whose vectors are as near as `config.semantic` says to those of a kept row.

    Vectors of a sentence-transformer are kept in `cache` for later runs; word vectors depend on all rows at once.
    """
    assert config.semantic
    places = places_of(start.verdicts, order)
    settled = start.settled[places.rows]
    settings = config.semantic.embedding
    encoder = embedder(settings, lambda: _training_texts(corpus, facts, config, places.rows, settings), config.workers)
    with remembering(encoder, cache) if cache and settings.model else nullcontext(encoder) as source:
        vectors = _vectors(corpus, config, source, places.rows, start.folder)
    choice = semantic_duplicates(Nodes(vectors, places.follows, settled), config.semantic, config.seed, start.folder)
    partner = np.where(choice.partner < 0, choice.partner, places.rows[choice.partner])
    hand_back(start.verdicts, places.rows, partner, choice.cosine, SEMANTIC)
    start.verdicts.metrics |= {
        "encoder": encoder.name,
        "semantic_duplicates": int((choice.partner >= 0).sum()),
        "embedded_rows": len(places.rows),
    }


def _training_texts(
    corpus: Corpus, facts: Facts, config: DeduplicateConfig, rows: I64s, settings: Embedding
) -> list[str]:
    """Texts to learn from, in an order that their content decides."""
    lengths = facts.length[rows] // CHARACTERS + 1
    chosen = rows[training_rows(facts.identity[rows, 0], lengths, settings.training_words)]
    texts = [""] * len(chosen)
    place = {row: number for number, row in enumerate(chosen.tolist())}
    for some, batch_texts in _texts(corpus, config, chosen):
        for row, text in zip(some.tolist(), batch_texts, strict=True):
            texts[place[row]] = text
    return texts


def _vectors(corpus: Corpus, config: DeduplicateConfig, encoder: Embedder, rows: I64s, folder: Path | None) -> Vectors:
    """Vectors of some rows, in their order."""
    place = np.full(corpus.rows, -1, np.int64)
    place[rows] = np.arange(len(rows))
    vectors: Vectors = room((len(rows), encoder.dimension), np.float32, folder)
    for some, texts in _texts(corpus, config, rows):
        vectors[place[some]] = encoder.embed(texts)
    return vectors


def _texts(corpus: Corpus, config: DeduplicateConfig, rows: I64s) -> Iterator[tuple[I64s, list[str]]]:
    """The texts of some rows, in the order of the input, with their numbers."""
    wanted = np.zeros(corpus.rows, bool)
    wanted[rows] = True
    for first, batch in corpus.batches([column_of(config.field)]):
        some = np.flatnonzero(wanted[first : first + batch.num_rows])
        if len(some):
            yield some + first, rows_text(batch.take(pa.array(some)), config.field)
