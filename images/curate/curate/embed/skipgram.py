"""Word vectors trained by fastText on the texts themselves.

Skip-gram with negative sampling (Bojanowski et al. 2017, "Enriching word vectors with subword information"), without
subwords: they triple the training time, and a word too rare to be learnt has a vector of its own in `WordVectors`.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from contract.config.embedding import Embedding
from curate.embed.embedder import Vectors
from curate.embed.words import WordVectors
from curate.shingles import Hashes, Indices, words

RARE = 5  # a word seen less often is not learnt: fastText's own default
CENTRED_ON = 20_000  # texts that say what all texts have in common
DIRECTIONS = 3  # Arora et al. take one, from larger corpora
WORD = re.compile(r"\w+")


class Vocabulary(NamedTuple):
    """Words by the order of their hashes, with their vectors and how often each was seen."""

    hashes: Hashes
    vectors: Vectors
    counts: npt.NDArray[np.float64]


def training_rows(digests: Hashes, lengths: Indices, limit: int) -> Indices:
    """Rows to train on: by the order of their content's digests, at least one and up to `limit` words.

    So neither the order of rows nor what they are called plays a part.
    """
    order = np.argsort(digests, kind="stable")
    enough = int(np.searchsorted(np.cumsum(lengths[order]), limit, side="right"))
    return order[: max(enough, 1)]


def train(texts: Iterable[str], config: Embedding) -> WordVectors:
    """Word vectors of these texts, which are read once; the same texts in the same order give the same vectors.

    One thread and a fixed seed, since fastText's threads race for the same numbers. Equal to the last bit where
    processor and fastText build are equal.
    """
    with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
        path = Path(folder) / "words.txt"
        sample = _write(texts, path)
        found = _learn(path, config)
    name = hashlib.blake2b(found.vectors.tobytes(), digest_size=10).hexdigest()
    made = WordVectors(f"fasttext-{name}", found.hashes, found.vectors, found.counts / max(found.counts.sum(), 1))
    made.centre(sample, DIRECTIONS)
    return made


def _write(texts: Iterable[str], path: Path) -> list[str]:
    """One text of lower-case words a line; returns the first `CENTRED_ON` texts."""
    sample: list[str] = []
    with path.open("w", encoding="utf-8", errors="surrogatepass") as file:
        for text in texts:
            if len(sample) < CENTRED_ON:
                sample.append(text)
            file.write(" ".join(WORD.findall(text.lower())) + "\n")
    return sample


def _learn(path: Path, config: Embedding) -> Vocabulary:
    import fasttext  # only here: it takes a quarter of a second to import

    try:
        model = fasttext.train_unsupervised(
            str(path), model="skipgram", dim=config.dimension, epoch=config.epochs, minCount=RARE,
            minn=0, maxn=0, bucket=0, thread=1, verbose=0,
        )  # fmt: skip
    except ValueError:  # no word occurs often enough
        return Vocabulary(np.empty(0, np.uint64), np.empty((0, config.dimension), np.float32), np.empty(0))
    return _vocabulary(model)


def _vocabulary(model: Any) -> Vocabulary:
    """What was learnt, without the sign for a line's end, which is no word."""
    names, counts = model.get_words(include_freq=True)
    hashed = words(names)
    single = hashed.lengths == 1
    single &= np.fromiter((name != "</s>" for name in names), bool, len(names))
    hashes = hashed.values[hashed.offsets[:-1][single]]
    vectors = np.asarray(model.get_input_matrix(), np.float32)[: len(names)][single]
    order = np.argsort(hashes)
    return Vocabulary(hashes[order], vectors[order], np.asarray(counts, np.float64)[single][order])
